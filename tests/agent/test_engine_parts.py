"""The parts that engines are made of: thoughts, the breaker, vLLM's load, the race for a first token."""

import asyncio
from collections.abc import AsyncGenerator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.engines.breaker import Breaker
from agent.engines.hedge import first_of
from agent.engines.load import Load
from agent.engines.thinking import Thoughts
from agent.engines.written import WrittenCalls
from agent.model import ModelError, ToolCall
from tests import virtual

TEXTS = st.lists(st.sampled_from(["<think>", "</think>", "<", "think", ">", "</", "十点", "a < b ", "\n", "<b>"]))


def plain(text: str) -> str:
    """The same by the whole text: what no open block holds back."""
    heard = ""
    inside = False
    while text:
        for tag, opens in (("<think>", True), ("</think>", False)):
            if text.startswith(tag):
                text, inside = text[len(tag) :], opens
                break
        else:
            heard, text = heard + ("" if inside else text[0]), text[1:]
    return heard


@given(TEXTS, st.data())
def test_thoughts_are_taken_out_however_the_text_is_cut(words: list[str], data: st.DataObject) -> None:
    text, thoughts = "".join(words), Thoughts()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)) | {0, len(text)})
    pieces = [text[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]
    assert "".join([thoughts.feed(piece) for piece in pieces]) + thoughts.flush() == plain(text)


def test_text_without_tags_is_given_at_once() -> None:
    thoughts = Thoughts()
    assert thoughts.feed("十点 < 十一点 ") == "十点 < 十一点 "
    assert (thoughts.feed("a <"), thoughts.feed("= b")) == ("a ", "<= b")


CALL = '{"name": "add", "arguments": {"a": 2, "说明": "加"}}'
ADD = ToolCall("call-0", "add", '{"a":2,"说明":"加"}')


def heard(text: str, offered: tuple[str, ...] = ("add", "几点")) -> list[str | ToolCall]:
    """Fed a character at a time; neighbouring text joined."""
    written = WrittenCalls(offered)
    found = [item for char in text for item in written.feed(char)] + written.finish()
    said = "".join(item for item in found if isinstance(item, str))
    return ([said] if said else []) + [item for item in found if isinstance(item, ToolCall)]


@pytest.mark.parametrize(
    "text", [CALL, f"```json\n{CALL}\n```", f"<tool_call>\n{CALL}\n</tool_call>", f" \n{CALL}", f"```\n{CALL}"]
)
def test_a_call_that_is_written_as_text_is_a_call(text: str) -> None:
    assert heard(text) == [ADD]


def test_several_written_calls_are_several() -> None:
    clock = ToolCall("call-1", "几点", "{}")
    assert heard(f'<tool_call>{CALL}</tool_call>\n<tool_call>{{"name": "几点", "arguments": {{}}}}</tool_call>') == [
        ADD,
        clock,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "十点开门。",
        "[emotion:happy] We open at 10.",
        f"好的：{CALL}",
        f"{CALL} and so on",
        CALL[:-3],
        CALL.replace("add", "delete"),
        '{"name": ["add"], "arguments": {}}',
        '{"name": "add", "arguments": "2"}',
        '{"a": 1}',
        "{" * 3000,
        "{" * 20_000,
        "",
        "<to",
    ],
)
def test_text_that_is_not_calls_alone_stays_text(text: str) -> None:
    assert "".join(map(str, heard(text))) == text


def test_text_is_not_held_once_it_cannot_be_a_call_nor_where_nothing_is_offered() -> None:
    written = WrittenCalls(["add"])
    assert [written.feed(piece) for piece in (" ", "十", "点", "{")] == [[], [" 十"], ["点"], ["{"]]
    assert heard(CALL, ()) == [CALL]


def test_the_breaker_opens_tries_and_closes() -> None:
    breaker = Breaker(limit=3, rest=2.0)
    for now in (0.0, 0.1, 0.2):
        assert breaker.admits(now)
        breaker.failed(now)
    assert breaker.open and not breaker.admits(2.1)
    assert breaker.admits(2.2) and not breaker.admits(2.3), "one request tries"
    breaker.failed(2.4)
    assert not breaker.admits(4.3) and breaker.admits(4.4)
    breaker.succeeded()
    assert not breaker.open and breaker.admits(4.5) and breaker.admits(4.5)


def test_failures_with_a_success_between_them_do_not_open_the_breaker() -> None:
    breaker = Breaker(limit=2, rest=2.0)
    for now in range(10):
        breaker.failed(now)
        breaker.succeeded()
    assert not breaker.open
    breaker.failed(10)
    breaker.failed(10)
    assert not breaker.admits(10.5)
    breaker.relent(10.5)
    assert breaker.admits(10.5)


METRICS = b"""# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="qwen"} 3.0
vllm:num_requests_waiting{engine="1",model_name="qwen"} 1.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="qwen",reason="capacity"} 9.0
vllm:num_requests_running{engine="0",model_name="qwen"} 16.0
vllm:kv_cache_usage_perc{engine="0",model_name="qwen"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="qwen"} 0.5
"""


def test_load_is_read_from_vllms_metrics_over_all_engines() -> None:
    assert Load.read(METRICS) == Load(4.0, 16.0, 0.5)


@pytest.mark.parametrize("metrics", [b"", b"\xff\x00", b"llamacpp:requests 1\n", b"vllm:num_requests_waiting x\n"])
def test_other_metrics_are_no_load(metrics: bytes) -> None:
    assert Load.read(metrics) is None


class Attempts:
    """Streams that begin after some seconds, or fail; `open` counts those not closed yet."""

    def __init__(self, *plan: float | ModelError) -> None:
        self._plan = plan
        self.open = 0

    def __iter__(self) -> Iterator[AsyncGenerator[int, None]]:
        for number, what in enumerate(self._plan):
            self.open += 1
            yield self._stream(number, what)

    async def _stream(self, number: int, what: float | ModelError) -> AsyncGenerator[int, None]:
        try:
            if isinstance(what, ModelError):
                raise what
            await asyncio.sleep(what)
            yield number
            await asyncio.sleep(1)
            yield number
        finally:
            self.open -= 1


DOWN, LONG = ModelError("unreachable", "down"), ModelError("too_long", "long")


@pytest.mark.parametrize(
    ("plan", "patience", "found", "seconds"),
    [
        ((0.1, 0.0), None, [0, 0], 1.1),
        ((9.0, 0.1), None, [0, 0], 10.0),
        ((9.0, 0.1, 0.0), 0.5, [1, 1], 1.6),
        ((0.6, 9.0), 0.5, [0, 0], 1.6),
        ((DOWN, 0.2), None, [1, 1], 1.2),
        ((DOWN, 9.0, DOWN, 0.1), 0.5, [3, 3], 1.6),
    ],
)
def test_the_first_to_speak_is_taken_and_the_others_are_closed(
    plan: tuple[float | ModelError, ...], patience: float | None, found: list[int], seconds: float
) -> None:
    async def race() -> tuple[list[int], float, int, int]:
        attempts, items, during = Attempts(*plan), [], 0
        async for item in first_of(iter(attempts), patience, lambda error: error.code == "unreachable"):
            items.append(item)
            during = attempts.open
        return items, asyncio.get_running_loop().time(), during, attempts.open

    items, time, during, after = virtual.run(race())
    assert (items, round(time, 3), during, after) == (found, seconds, 1, 0)


@pytest.mark.parametrize("plan", [(DOWN, LONG), (LONG, 0.1), (9.0, LONG)])
def test_what_is_not_passed_on_ends_the_race(plan: tuple[float | ModelError, ...]) -> None:
    async def race() -> int:
        attempts = Attempts(*plan)
        with pytest.raises(ModelError, match="long"):
            async for _ in first_of(iter(attempts), 0.1, lambda error: error.code == "unreachable"):
                pass
        return attempts.open

    assert virtual.run(race()) == 0
