"""Keys for minutes: whom they let in, for how long, and how many there may be."""

from server.auth import OPERATOR, Grant, Passes


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_pass_opens_its_issuers_base_without_writing_until_its_end() -> None:
    clock = Clock()
    passes = Passes(now=clock)
    issued = passes.issue(Grant("shop", write=True, minors=True), 60, "carried")
    assert issued is not None and issued[0].startswith("ek_") and issued[1] == 1060
    assert passes.found(issued[0]) == (Grant("shop", write=False, minors=True), "carried")
    assert passes.found(issued[0] + "x") is None and passes.found("") is None and passes.found("密钥\udcff") is None
    clock.now = 1060
    assert passes.found(issued[0]) is None


def test_no_more_passes_than_there_is_room_for_and_room_again_when_they_end() -> None:
    clock = Clock()
    passes = Passes(most=2, now=clock)
    assert len({passes.issue(OPERATOR, 10), passes.issue(OPERATOR, 20)}) == 2
    assert passes.issue(OPERATOR, 10) is None
    clock.now = 1011
    assert passes.issue(OPERATOR, 10) is not None and passes.issue(OPERATOR, 10) is None


def test_one_bases_passes_leave_room_for_anothers() -> None:
    passes = Passes(most=4, each=2)
    shop, museum = Grant("shop", write=False), Grant("museum", write=False)
    assert passes.issue(shop, 10) is not None and passes.issue(shop, 10) is not None
    assert passes.issue(shop, 10) is None and passes.issue(museum, 10) is not None
