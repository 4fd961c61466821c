"""The OpenAI-compatible client: its decoder by itself, and the whole engine against a server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.engines.deltas import Deltas
from agent.engines.openai import OpenAI
from agent.model import PLAINLY, Ask, Called, Message, ModelError, Offer, Part, Returned, ToolCall
from configs.home import current
from tests.agent.chat_server import event

ASKED: list[Part] = [Message("system", "只说答案。"), Message("user", "几点开门？ When do you open?")]


ROLE = event({"role": "assistant", "content": ""})
STOP = event({}, "stop")
USAGE = b'data: {"choices":[],"usage":{"total_tokens":3}}\r\n\r\n'
DONE = b"data: [DONE]\n\n"
WORDS = ["您好", "，", "we open at ", "10", ":", "00", "。", "😀"]
ANSWER = ROLE + b": ping\n\n" + b"".join(event({"content": word}) for word in WORDS) + STOP + USAGE + DONE


@given(st.sets(st.integers(1, len(ANSWER) - 1)))
def test_any_split_of_the_bytes_gives_the_same_deltas(cuts: set[int]) -> None:
    deltas = Deltas()
    edges = [0, *sorted(cuts), len(ANSWER)]
    found = [text for a, b in zip(edges, edges[1:], strict=False) for text in deltas.feed(ANSWER[a:b])]
    assert found == WORDS
    assert deltas.finished


def call(index: int, arguments: str | None = None, **begun: str) -> dict[str, object]:
    """A piece of a tool call."""
    names = {name: value for name, value in begun.items() if name == "name"}
    function = names if arguments is None else names | {"arguments": arguments}
    return {"index": index, "function": function} | ({"id": begun["id"]} if "id" in begun else {})


CALLS = [
    {"content": None, "tool_calls": [call(0, id="a", name="add")]},
    {"tool_calls": [call(0, '{"a":')]},
    {"tool_calls": [call(1, "", id="b", name="几点")]},
    {"tool_calls": [call(0, " 2}"), call(1, "not json")]},
]
CALLED = [ToolCall("a", "add", '{"a": 2}'), ToolCall("b", "几点", "not json")]


def fed(*deltas: dict[str, object], finish: str = "stop") -> list[str | ToolCall]:
    read = Deltas()
    return [item for data in [*map(event, deltas), event({}, finish)] for item in read.feed(data)]


def test_calls_are_put_together_by_their_index_and_given_at_the_end() -> None:
    assert fed(*CALLS, finish="tool_calls") == CALLED
    assert fed({"content": "好的"}, *CALLS, finish="tool_calls") == ["好的", *CALLED]


def test_a_call_without_an_id_is_given_one_and_a_torn_one_is_left_to_the_caller() -> None:
    piece = {"function": {"name": "add", "arguments": '{"a": 1'}}
    assert fed({"tool_calls": [piece]}, finish="length") == [ToolCall("call-0", "add", '{"a": 1')]


@pytest.mark.parametrize("piece", [7, "add", {"function": 3}, {"index": 0, "function": {"arguments": {"a": 1}}}])
def test_a_call_of_another_shape_is_garbled(piece: object) -> None:
    with pytest.raises(ModelError) as caught:
        Deltas().feed(event({"tool_calls": [piece]}))
    assert caught.value.code == "garbled"


def test_thoughts_are_never_given_whichever_way_they_are_sent() -> None:
    thought = {"reasoning_content": "秘密", "reasoning": "secret"}
    assert fed({**thought, "content": None}, {"content": "十点"}, {"content": "<thi"}, {"content": "nk>secret"}) == [
        "十点"
    ]


def test_an_answer_cut_at_its_limit_is_an_answer_and_an_aborted_one_is_not() -> None:
    assert fed({"content": "We open at"}, finish="length") == ["We open at"]
    with pytest.raises(ModelError) as caught:
        fed({"content": "We open at"}, finish="abort")
    assert caught.value.code == "interrupted"


@given(st.lists(st.binary(max_size=64)))
def test_arbitrary_bytes_are_read_or_refused_as_garbled(pieces: list[bytes]) -> None:
    deltas = Deltas()
    try:
        for piece in [b"data: ", *pieces, b"\n"]:
            deltas.feed(piece)
    except ModelError as error:
        assert error.code in ("garbled", "interrupted")


@pytest.mark.parametrize(
    "payload",
    [
        b"{not json",
        b"[]",
        b"3",
        b"null",
        b'{"choices":3}',
        b'{"choices":[{"delta":7}]}',
        b'{"choices":[{"delta":{"content":[1]}}]}',
    ],
)
def test_an_event_of_another_shape_is_garbled(payload: bytes) -> None:
    with pytest.raises(ModelError) as caught:
        Deltas().feed(b"data: " + payload + b"\n")
    assert caught.value.code == "garbled"


def test_an_endless_event_is_refused() -> None:
    deltas = Deltas()
    with pytest.raises(ModelError, match="1 MB"):
        for _ in range(20):
            deltas.feed(b"x" * 100_000)


Serve = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Serve, **options: object) -> AsyncIterator[OpenAI]:
    """An engine that asks a loopback server, which hands each request's body to `answer` and hangs up after it."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await answer(head + await reader.readexactly(length), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = {"base_url": f"http://127.0.0.1:{port}/v1", "model": "qwen"} | options
    engine = OpenAI(OpenAI.Options.model_validate(settings), current())
    try:
        yield engine
    finally:
        await engine.aclose()
        server.close()
        await server.wait_closed()


def streaming(body: bytes, status: str = "200 OK") -> Serve:
    async def answer(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        writer.write(head + chunk + b"0\r\n\r\n")
        await writer.drain()

    return answer


async def said(engine: OpenAI, parts: Sequence[Part] = ASKED, ask: Ask = PLAINLY) -> list[str | ToolCall]:
    return [delta async for delta in engine.stream(parts, ask)]


async def failure(answer: Serve) -> ModelError:
    async with serving(answer) as engine:
        with pytest.raises(ModelError) as caught:
            await said(engine)
    return caught.value


async def test_an_answer_is_streamed_and_the_request_is_the_protocols() -> None:
    seen: list[bytes] = []

    async def answer(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        await streaming(ANSWER)(request, reader, writer)

    async with serving(answer, api_key="s3cret", extra={"top_p": 0.5}) as engine:
        assert await said(engine) == WORDS
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1")
    assert b"Bearer s3cret" in head
    assert json.loads(body) == {
        "model": "qwen",
        "messages": [{"role": m.role, "content": m.text} for m in ASKED],
        "temperature": 0.0,
        "max_tokens": 160,
        "stream": True,
        "top_p": 0.5,
    }


async def test_tools_a_schema_and_the_session_go_with_the_request() -> None:
    schema = {"title": "票价", "type": "object", "properties": {"yuan": {"type": "integer"}}}
    add = Offer("add", "Adds 加", {"type": "object", "properties": {"a": {"type": "number"}}})
    parts = [
        *ASKED,
        Called((ToolCall("a", "add", '{"a": 2}'), ToolCall("b", "add", "nonsense"))),
        Returned("a", "add", "二"),
    ]
    seen: list[bytes] = []

    async def answer(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        await streaming(b"".join(map(event, CALLS)) + event({}, "tool_calls") + DONE)(request, reader, writer)

    async with serving(answer) as engine:
        assert await said(engine, parts, Ask("session-1", (add,), schema)) == CALLED
    head, _, sent = seen[0].partition(b"\r\n\r\n")
    body = json.loads(sent)
    assert b"X-Session-ID: session-1" in head
    assert body["tools"] == [
        {"type": "function", "function": {"name": "add", "description": "Adds 加", "parameters": add.parameters}}
    ]
    named = {"name": "answer", "schema": schema, "strict": True}
    assert body["response_format"] == {"type": "json_schema", "json_schema": named}
    asked, returned = body["messages"][2:]
    assert asked["role"] == "assistant" and [call["id"] for call in asked["tool_calls"]] == ["a", "b"]
    arguments = [call["function"]["arguments"] for call in asked["tool_calls"]]
    assert arguments == ['{"a": 2}', "{}"], "vLLM refuses a conversation with arguments that are no object"
    assert returned == {"role": "tool", "tool_call_id": "a", "name": "add", "content": "二"}


async def test_warming_asks_for_one_token() -> None:
    bodies: list[dict[str, object]] = []

    async def answer(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append(json.loads(request.partition(b"\r\n\r\n")[2]))
        await streaming(ANSWER)(request, reader, writer)

    async with serving(answer) as engine:
        await engine.warm(ASKED[:1])
    assert bodies[0]["max_tokens"] == 1


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    async with serving(streaming(ANSWER)) as engine:
        pass
    with pytest.raises(ModelError) as caught:
        await said(engine)
    assert caught.value.code == "unreachable"


async def test_an_error_status_is_a_refusal_that_does_not_repeat_the_users_words() -> None:
    body = b'{"error":{"message":"cannot parse: \\u51e0\\u70b9","type":"BadRequestError"}}'
    error = await failure(streaming(body, "400 Bad Request"))
    assert error.code == "refused"
    assert "400" in str(error) and "BadRequestError" in str(error) and "几点" not in str(error)


@pytest.mark.parametrize(
    ("status", "code"), [("502 Bad Gateway", "unreachable"), ("404 Not Found", "refused"), ("429 Too Many", "busy")]
)
async def test_an_error_page_that_is_not_json_is_told_by_its_status(status: str, code: str) -> None:
    assert (await failure(streaming(b"<h1>gateway</h1>", status))).code == code


async def test_a_stream_that_ends_without_a_finish_reason_is_interrupted_even_with_done() -> None:
    assert (await failure(streaming(ROLE + event({"content": "我们"}) + DONE))).code == "interrupted"


async def test_a_connection_cut_in_the_middle_is_interrupted_after_what_was_said() -> None:
    async def answer(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        part = event({"content": "我们"})
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(part), part))
        await writer.drain()

    heard: list[str] = []
    async with serving(answer) as engine:
        with pytest.raises(ModelError) as caught:
            async for delta in engine.stream(ASKED):
                heard.append(delta)
    assert heard == ["我们"]
    assert caught.value.code == "interrupted"


async def test_an_error_event_in_the_stream_is_interrupted() -> None:
    body = event({"content": "We"}) + b'data: {"error":{"message":"engine died","code":500}}\n\n'
    assert (await failure(streaming(body))).code == "interrupted"


@pytest.mark.parametrize("body", [ROLE + STOP + DONE, STOP])
async def test_an_answer_without_text_is_empty(body: bytes) -> None:
    assert (await failure(streaming(body))).code == "empty"


async def test_closing_the_stream_closes_the_connection_at_once() -> None:
    hung_up = asyncio.Event()

    async def answer(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        part = event({"content": "我们"})
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(part), part))
        await writer.drain()
        await reader.read()
        hung_up.set()

    async with serving(answer) as engine:
        async with aclosing(engine.stream(ASKED)) as stream:
            assert await anext(stream) == "我们"
        async with asyncio.timeout(60):
            await hung_up.wait()
