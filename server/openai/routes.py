"""The routes of OpenAI's HTTP API: models, chat completions, responses; see `sound` for those of speech."""

import hashlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

from agent.events import Citation, Event
from agent.tokens import estimate
from avatar.labels import HEADER
from server.admission import Admission
from server.assemble import Service
from server.auth import Gate, Grant
from server.bodies.openai import ChatBody, ErrorBody, ResponsesBody
from server.openai.answering import Answering
from server.openai.chat import ChatCodec
from server.openai.conversation import Said, asked, done, items, messages, offered
from server.openai.draft import Draft, Heading
from server.openai.errors import BROKEN, Compatible, Json, Wrong, wrong_value
from server.openai.models import Catalogue
from server.openai.responses import ResponsesCodec, Wanted
from server.openai.sound import speech_routes, transcription_routes
from server.openai.store import Store, Stored
from server.openai.streaming import DONE, EVENTS, Flow, begun, framed, unless_gone

log = logging.getLogger(__name__)

_TOLD = {"model": ErrorBody}
_PROBLEMS: dict[int | str, dict[str, object]] = {
    400: {**_TOLD, "description": "the body is wrong; `param` is the field"},
    401: {**_TOLD, "description": "`invalid_api_key`"},
    404: {**_TOLD, "description": "`model_not_found`, `response_not_found`"},
    413: {**_TOLD, "description": "`too_large`"},
    422: {**_TOLD, "description": "never: it is 400 here"},
    429: {**_TOLD, "description": "`busy`: too many visitors"},
    503: {**_TOLD, "description": "`starting`, or the code of the fault that kept the answer away"},
}
_GONE = "there is no such response: it was not stored, or an hour ago / 没有这个 response：未保存，或已超过一小时"


class Doorway:
    """Who asks: the grant of a request's key, and the key's own mark."""

    def __init__(self, service: Service, gate: Gate) -> None:
        self.service, self._gate = service, gate

    async def grant(self, request: Request) -> Grant:
        """Raises Wrong."""
        if not self.service.readiness().serving:
            told = "the presenter is starting: try again in a few seconds / 正在启动，请稍候再试"
            raise Wrong(503, "starting", told, headers={"Retry-After": "5"})
        grant = self._gate.grant(request)
        if grant is None:
            raise Wrong(401, "invalid_api_key", "a valid key is needed / 需要有效的密钥：Authorization: Bearer KEY")
        return grant

    async def holder(self, request: Request) -> bytes:
        given = request.headers.get("authorization", "").partition(" ")[2].strip()
        return hashlib.sha256(given.encode("utf-8", "replace")).digest()


Codec = ChatCodec | ResponsesCodec


def openai_routes(service: Service, gate: Gate, admission: Admission) -> APIRouter:
    doorway, catalogue = Doorway(service, gate), Catalogue(service, admission)
    key = HTTPBearer(auto_error=False, description="The operator's key, or one that opens a single knowledge base")
    router = APIRouter(
        prefix="/v1",
        route_class=Compatible,
        tags=["OpenAI HTTP"],
        dependencies=[Depends(doorway.grant), Depends(key)],
        responses=_PROBLEMS,
    )
    answering = Answering(service, admission)
    _models(router, doorway, catalogue)
    _chat(router, doorway, catalogue, answering)
    _responses(router, doorway, catalogue, answering)
    speech_routes(router, service, admission, doorway.grant)
    transcription_routes(router, service, admission, doorway.grant)
    return router


def _models(router: APIRouter, doorway: Doorway, catalogue: Catalogue) -> None:
    @router.get("/models", summary="The persona, and it with each knowledge base that the key opens")
    async def models(grant: Annotated[Grant, Depends(doorway.grant)]) -> Json:
        return {"object": "list", "data": catalogue.listed(grant)}

    @router.get("/models/{model}", summary="One of them")
    async def model(grant: Annotated[Grant, Depends(doorway.grant)], model: str) -> Json:
        return catalogue.shown(grant, model)


def _chat(router: APIRouter, doorway: Doorway, catalogue: Catalogue, answering: Answering) -> None:
    service = doorway.service

    @router.post(
        "/chat/completions",
        summary="An answer from the documents, whole or as it comes",
        response_model=None,
        responses={200: {"description": "A chat completion, or, streamed, its chunks as server-sent events"}},
    )
    async def completions(
        request: Request, body: ChatBody, grant: Annotated[Grant, Depends(doorway.grant)]
    ) -> Response:
        _answerable(body)
        bases = tuple(catalogue.bases(grant, body.model))
        upto, results = done(body.messages)
        said = messages(upto)
        question = asked(said, "messages", service.settings.limits.question_characters)
        if body.tool_choice != "none":
            question = replace(question, tools=offered(body.tools), done=results)
        heading = _heading(service, "chatcmpl", body.model, said)
        draft = Draft(body.max_completion_tokens or body.max_tokens, _address(service, request, bases))
        usage = body.stream_options is not None and body.stream_options.include_usage
        codec = ChatCodec(heading, draft, usage=usage)
        events = answering.events(grant, bases, question)
        headers = {HEADER: service.producer.label(heading.id).header}
        answer = _streamed(codec, events, headers) if body.stream else _whole(codec, events, headers)
        return await unless_gone(request, answer)


def _responses(router: APIRouter, doorway: Doorway, catalogue: Catalogue, answering: Answering) -> None:
    service, store = doorway.service, Store()

    @router.post(
        "/responses",
        summary="An answer from the documents, which a later one can go on from",
        response_model=None,
        responses={200: {"description": "A response, or, streamed, its events as server-sent events"}},
    )
    async def respond(
        request: Request,
        body: ResponsesBody,
        grant: Annotated[Grant, Depends(doorway.grant)],
        holder: Annotated[bytes, Depends(doorway.holder)],
    ) -> Response:
        _answerable(body)
        bases = tuple(catalogue.bases(grant, body.model))
        said = [*_before(store, holder, body.previous_response_id), *items(body.input)]
        led = [("system", body.instructions), *said] if body.instructions else said
        question = asked(led, "input", service.settings.limits.question_characters)
        heading = _heading(service, "resp", body.model, led)
        draft = Draft(body.max_output_tokens, _address(service, request, bases))
        codec = ResponsesCodec(heading, draft, _wanted(body), f"msg_{secrets.token_hex(12)}")

        def keep() -> None:
            if body.store is not False and draft.fault is None:
                store.keep(holder, heading.id, Stored((*said, ("assistant", draft.text)), codec.final()))

        events = answering.events(grant, bases, question)
        headers = {HEADER: service.producer.label(heading.id).header}
        answer = _streamed(codec, events, headers, keep) if body.stream else _whole(codec, events, headers, keep)
        return await unless_gone(request, answer)

    @router.get("/responses/{response_id}", summary="A response that is still kept")
    async def response(holder: Annotated[bytes, Depends(doorway.holder)], response_id: str) -> Json:
        return _stored(store, holder, response_id).response

    @router.delete("/responses/{response_id}", summary="Keep a response no longer")
    async def forget(holder: Annotated[bytes, Depends(doorway.holder)], response_id: str) -> Json:
        _stored(store, holder, response_id)
        store.drop(holder, response_id)
        return {"id": response_id, "object": "response", "deleted": True}


def _answerable(body: ChatBody | ResponsesBody) -> None:
    """Raises Wrong for what would be let fall in silence."""
    if body.tool_choice not in (None, "auto", "none"):
        told = "a call cannot be forced: leave it out, or none / 不能强制调用工具，请去掉，或用 none"
        raise wrong_value("tool_choice", told, "unsupported_value")
    form = body.response_format if isinstance(body, ChatBody) else (body.text or {}).get("format")
    if isinstance(form, dict) and form.get("type", "text") != "text":
        param = "response_format" if isinstance(body, ChatBody) else "text.format"
        told = "answers are text: leave it out / 回答只能是文字，请去掉这一项"
        raise wrong_value(param, told, "unsupported_value")
    if isinstance(body, ChatBody) and body.n not in (None, 1):
        raise wrong_value("n", "there is one answer: n is 1 / 只有一个回答，n 须为 1", "unsupported_value")
    if isinstance(body, ChatBody) and "audio" in (body.modalities or ()):
        told = "answers here are text; for sound, POST /v1/audio/speech or /v1/realtime / 这里只回文字"
        raise wrong_value("modalities", told, "unsupported_value")
    if isinstance(body, ResponsesBody) and body.tools and body.tool_choice != "none":
        told = "your tools are called by /v1/chat/completions alone / 自带的工具请用 /v1/chat/completions"
        raise wrong_value("tools", told, "unsupported_value")
    if isinstance(body, ResponsesBody) and body.background:
        raise wrong_value("background", "nothing is done in the background / 不支持后台执行", "unsupported_value")


def _wanted(body: ResponsesBody) -> Wanted:
    return Wanted(
        body.instructions,
        body.previous_response_id,
        body.store is not False,
        body.max_output_tokens,
        body.metadata or {},
        body.temperature,
        body.top_p,
    )


def _before(store: Store, holder: bytes, id: str | None) -> Sequence[Said]:
    return _stored(store, holder, id, "previous_response_id").said if id else ()


def _stored(store: Store, holder: bytes, id: str, param: str | None = None) -> Stored:
    found = store.find(holder, id)
    if found is None:
        raise Wrong(404 if param is None else 400, "response_not_found", _GONE, param)
    return found


def _heading(service: Service, kind: str, model: str, said: Sequence[Said]) -> Heading:
    id = f"{kind}-{secrets.token_hex(12)}" if kind == "chatcmpl" else f"{kind}_{secrets.token_hex(24)}"
    tokens = sum(estimate(text) for _, text in said)
    return Heading(id, model, int(time.time()), service.producer.label(id).aigc, tokens)


def _address(service: Service, request: Request, bases: Sequence[str]) -> Callable[[Citation], str]:
    """A page's own address, else that of the document here, in the revision that was quoted."""
    root = str(request.base_url).rstrip("/")

    def address(citation: Citation) -> str:
        if citation.source.startswith(("http://", "https://")):
            return citation.source
        known = (name for name in bases if len(bases) == 1 or _has(service, name, citation.document))
        base = next(known, bases[0])
        return f"{root}/v1/knowledge/{base}/documents/{citation.document}?revision={citation.revision}"

    return address


def _has(service: Service, base: str, document: str) -> bool:
    return any(entry.id == document for entry in service.bases.get(base).documents())


async def _whole(
    codec: Codec, events: AsyncGenerator[Event, None], headers: dict[str, str], keep: Callable[[], None] = lambda: None
) -> Response:
    async with aclosing(events) as told:
        async for event in told:
            codec.draft.feed(event)
            if codec.draft.closed:
                break
    answer = JSONResponse(codec.whole(), headers=headers)
    keep()
    return answer


async def _streamed(
    codec: Codec, events: AsyncGenerator[Event, None], headers: dict[str, str], keep: Callable[[], None] = lambda: None
) -> Response:
    """Begun already, so that what keeps it from beginning is an error with a status."""
    return Flow(_chunks(codec, await begun(events), keep), EVENTS, headers)


async def _chunks(
    codec: Codec, events: AsyncGenerator[Event, None], keep: Callable[[], None]
) -> AsyncGenerator[bytes, None]:
    named = isinstance(codec, ResponsesCodec)
    try:
        for told in codec.begin():
            yield framed(told, named=named)
        async with aclosing(events) as given:
            async for event in given:
                for told in codec.feed(event):
                    yield framed(told, named=named)
                if codec.draft.closed:
                    break
        keep()
        for told in codec.end():
            yield framed(told, named=named)
    except Exception:  # noqa: BLE001 - a stream ends here, and the client is told
        log.exception("a streamed answer failed")
        yield framed(Wrong(500, "internal", BROKEN).body, named=named)
    if not named:
        yield DONE
