"""Chat completions: an answer whole, or as chunks. Pure.

Source: OpenAI's API reference, "Chat"; `citations`, `refused` and `aigc` are our own fields.
"""

from agent.events import Event, ToolCalled
from server.openai.draft import Draft, Heading, failed
from server.openai.errors import Json


class ChatCodec:
    """`usage`: one more chunk tells the tokens. After a fault there is an error in the place of the end."""

    def __init__(self, heading: Heading, draft: Draft, *, usage: bool = False) -> None:
        self.draft = draft
        self._heading, self._with_usage = heading, usage

    def begin(self) -> list[Json]:
        return [self._chunk({"role": "assistant", "content": "", "refusal": None}, aigc=self._heading.aigc)]

    def feed(self, event: Event) -> list[Json]:
        text = self.draft.feed(event)
        return [self._chunk({"content": text})] if text else []

    def end(self) -> list[Json]:
        draft = self.draft
        if draft.fault is not None:
            return [failed(draft.fault).body]
        told: list[Json] = []
        if draft.calls:
            calls = [{"index": at, **_called(call)} for at, call in enumerate(draft.calls)]
            told.append(self._chunk({"tool_calls": calls}))
        if draft.citations:
            told.append(self._chunk({"annotations": _annotations(draft)}, citations=draft.citations))
        told.append(self._chunk({}, draft.finish, refused=draft.refused))
        if self._with_usage:
            told.append({**self._chunk({}), "choices": [], "usage": self._usage()})
        return told

    def whole(self) -> Json:
        """Raises Wrong after a fault."""
        draft = self.draft
        if draft.fault is not None:
            raise failed(draft.fault)
        message: Json = {"role": "assistant", "content": draft.text, "refusal": None}
        message["annotations"] = _annotations(draft)
        if draft.calls:
            message["tool_calls"] = [_called(call) for call in draft.calls]
        return {
            **self._head("chat.completion"),
            "choices": [{"index": 0, "message": message, "finish_reason": draft.finish, "logprobs": None}],
            "usage": self._usage(),
            "citations": draft.citations,
            "refused": draft.refused,
            "aigc": self._heading.aigc,
        }

    def _head(self, kind: str) -> Json:
        heading = self._heading
        return {"id": heading.id, "object": kind, "created": heading.created, "model": heading.model}

    def _chunk(self, delta: Json, finish: str | None = None, **extra: object) -> Json:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        usage = {"usage": None} if self._with_usage else {}
        return {**self._head("chat.completion.chunk"), "choices": [choice], **usage, **extra}

    def _usage(self) -> Json:
        asked, answered = self._heading.prompt, self.draft.tokens
        return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def _called(call: ToolCalled) -> Json:
    return {"id": f"call_{call.call}", "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _annotations(draft: Draft) -> list[Json]:
    return [{"type": "url_citation", "url_citation": one} for one in draft.annotations]
