"""What is sent in real time, on a clock that the test moves."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands import Heard
from server.pacing import Line
from server.protocols.base import Cut, Hold, Paced

FRAME = 0.06
LEAD = 0.3


def filled(frames: int, turn: int = 1, lead: float = LEAD) -> Line:
    line = Line(lead)
    line.put(Paced(turn, "start"))
    for number in range(frames):
        line.put(Paced(turn, bytes([number % 256]), FRAME))
    line.put(Paced(turn, "stop", last=True))
    return line


def sent(line: Line, until: float, now: float = 0.0) -> list[tuple[float, str | bytes]]:
    """What is sent up to `until`, each frame when it is due, as a writer does that sleeps until then."""
    out = []
    while (due := line.due()) is not None and max(due, now) <= until:
        now = max(due, now)
        frame = line.take(now)
        assert frame is not None
        out.append((now, frame))
    return out


def test_the_client_never_has_more_in_store_than_the_lead() -> None:
    out = sent(filled(100), 60.0)
    sound = [at for at, frame in out if isinstance(frame, bytes)]
    assert len(sound) == 100
    for number, at in enumerate(sound):
        assert (number + 1) * FRAME - at <= LEAD + 1e-9, "what was sent, less what was played since the first frame"
        assert number * FRAME - at >= -1e-9, "no frame comes too late to be played"
    assert [frame for _, frame in out[:1]] == ["start"] and out[-1][1] == "stop"
    assert out[-1][0] >= 100 * FRAME - 1e-9, "the end is not told before all of it was played"


def test_the_lead_is_a_frame_at_least() -> None:
    sound = [at for at, frame in sent(filled(10, lead=0.01), 60.0) if isinstance(frame, bytes)]
    assert [round(at / FRAME) for at in sound] == list(range(10))


def test_nothing_is_due_where_nothing_waits() -> None:
    line = Line(LEAD)
    assert line.due() is None and line.take(5.0) is None and line.heard(5.0) is None and not len(line)


def test_a_cut_leaves_nothing_and_puts_the_stop_in_its_place() -> None:
    line = filled(50)
    sent(line, 1.0)
    line.put(Cut("stop"))
    assert line.ahead == 0 and sent(line, 1.0, 1.0) == [(1.0, "stop")]
    assert line.heard(1.0) is None and not len(line)


def test_a_cut_of_what_was_all_sent_says_nothing() -> None:
    line = filled(2)
    sent(line, 9.0)
    line.put(Cut("stop"))
    assert line.due() is None


def test_what_is_held_goes_on_from_the_same_frame() -> None:
    line = filled(50)
    before = sent(line, 1.0)
    line.put(Hold(True))
    assert line.due() is None and line.take(5.0) is None
    line.put(Hold(False))
    after = sent(line, 60.0, 5.0)
    numbers = [frame[0] for _, frame in before + after if isinstance(frame, bytes)]
    assert numbers == list(range(50))
    sound = [at for at, frame in after if isinstance(frame, bytes)]
    assert max((count + 1) * FRAME - (at - 5.0) for count, at in enumerate(sound)) <= LEAD + 1e-9


def test_a_cut_ends_a_hold() -> None:
    line = filled(5)
    line.put(Hold(True))
    line.put(Cut())
    line.put(Paced(2, b"x", FRAME))
    assert line.take(0.0) == b"x"


def test_what_was_heard_is_what_was_sent_less_what_is_in_store() -> None:
    line = filled(50)
    sent(line, 1.0)
    heard = line.heard(1.0)
    assert heard is not None and heard.turn == 1 and abs(heard.seconds - 1.0) < 1e-9
    line.put(Hold(True))
    later = line.heard(9.0)
    assert later is not None and 1.0 < later.seconds <= 1.0 + LEAD, "it plays what it has, and then waits"


def test_a_turn_that_has_begun_is_not_held_back() -> None:
    begun, fresh = filled(50), filled(50)
    sent(begun, 0.1)
    for line in (begun, fresh):
        line.put(Hold(True, fresh=True))
    assert begun.due() is not None and fresh.due() is None
    begun.put(Cut())
    begun.put(Hold(True, fresh=True))
    begun.put(Paced(2, b"x", FRAME))
    assert begun.due() is None


def test_nothing_was_heard_of_what_waits() -> None:
    line = filled(3, turn=4)
    line.put(Hold(True))
    assert line.heard(7.0) == Heard(4, 0.0)
    line.put(Cut("stop"))
    assert line.heard(7.0) is None, "a stop alone is no sound"


def test_a_turn_is_counted_from_its_own_first_frame() -> None:
    line = filled(10)
    sent(line, 9.0)
    line.put(Cut())
    line.put(Paced(2, b"x", FRAME))
    line.take(20.0)
    assert line.heard(20.02) == Heard(2, line.heard(20.02).seconds)  # type: ignore[union-attr]
    assert abs(line.heard(20.02).seconds - 0.02) < 1e-9  # type: ignore[union-attr]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sound"), st.integers(1, 20)),
        st.tuples(st.just("wait"), st.floats(0.0, 3.0)),
        st.tuples(st.just("late"), st.floats(0.0, 0.5)),
        st.tuples(st.sampled_from(["hold", "go on", "cut"]), st.just(0)),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(STEPS)
def test_whatever_happens_the_store_is_bounded_and_the_order_kept(steps: list[tuple[str, float]]) -> None:
    """`late`: the writer slept longer than it wanted to: a slow machine, or a client that takes nothing."""
    line, now, number = Line(LEAD), 0.0, 0
    store, at, cut = 0.0, 0.0, 0
    taken: list[int] = []
    for what, amount in steps:
        match what:
            case "sound":
                for _ in range(int(amount)):
                    line.put(Paced(1, number.to_bytes(2, "big"), FRAME))
                    number += 1
            case "hold" | "go on":
                line.put(Hold(what == "hold"))
            case "cut":
                line.put(Cut())
                store, cut = 0.0, number
                taken = []
            case "late":
                now += amount
            case _:
                end = now + amount
                while (due := line.due()) is not None and max(due, now) <= end:
                    now = max(due, now)
                    frame = line.take(now)
                    assert isinstance(frame, bytes)
                    store = max(0.0, store - (now - at)) + FRAME
                    at = now
                    assert store <= LEAD + 1e-6
                    taken.append(int.from_bytes(frame, "big"))
                    heard = line.heard(now)
                    assert heard is not None
                    assert abs(heard.seconds - (len(taken) * FRAME - store)) < 1e-6
                now = end
    assert taken == list(range(cut, cut + len(taken)))
    assert abs(line.ahead - (number - cut - len(taken)) * FRAME) < 1e-6
