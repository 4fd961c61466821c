"""The Responses API: an answer as an object, or as the events that lead to it. Pure.

Source: OpenAI's API reference, "Responses" and "Streaming events"; `citations`, `refused` and `aigc` are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.events import Event
from server.openai.draft import Draft, Heading, failed
from server.openai.errors import Json

_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the client asked for, which its answer repeats."""

    instructions: str | None = None
    previous: str | None = None
    store: bool = True
    most: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    temperature: float | None = None
    top_p: float | None = None


class ResponsesCodec:
    """`item`: the id of the message."""

    def __init__(self, heading: Heading, draft: Draft, wanted: Wanted, item: str) -> None:
        self.draft = draft
        self._heading, self._wanted, self._item = heading, wanted, item
        self._sequence = 0

    def begin(self) -> list[Json]:
        response = self._response("in_progress", [])
        item = self._message("in_progress", [])
        return [
            self._event("response.created", response=response),
            self._event("response.in_progress", response=response),
            self._event("response.output_item.added", output_index=0, item=item),
            self._event("response.content_part.added", **self._place, part=self._part("", [])),
        ]

    def feed(self, event: Event) -> list[Json]:
        text = self.draft.feed(event)
        return [self._event("response.output_text.delta", **self._place, delta=text, logprobs=[])] if text else []

    def end(self) -> list[Json]:
        draft, place = self.draft, self._place
        whole = self.final()
        if draft.fault is not None:
            return [self._event("response.failed", response=whole)]
        item = whole["output"][0]
        part = item["content"][0]
        annotations = [
            self._event("response.output_text.annotation.added", **place, annotation_index=at, annotation=one)
            for at, one in enumerate(part["annotations"])
        ]
        return [
            *annotations,
            self._event("response.output_text.done", **place, text=draft.text, logprobs=[]),
            self._event("response.content_part.done", **place, part=part),
            self._event("response.output_item.done", output_index=0, item=item),
            self._event(f"response.{whole['status']}", response=whole),
        ]

    def whole(self) -> Json:
        """Raises Wrong after a fault."""
        if self.draft.fault is not None:
            raise failed(self.draft.fault)
        return self.final()

    def final(self) -> Json:
        draft = self.draft
        status = "failed" if draft.fault else "completed" if draft.finish == "stop" else "incomplete"
        annotations = [{"type": "url_citation", **one} for one in draft.annotations]
        part = self._part(draft.text, annotations)
        message = self._message("completed" if status == "completed" else "incomplete", [part])
        return self._response(status, [message])

    @property
    def _place(self) -> Json:
        return {"item_id": self._item, "output_index": 0, "content_index": 0}

    def _event(self, kind: str, **fields: object) -> Json:
        event = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return event

    def _message(self, status: str, content: list[Json]) -> Json:
        return {"id": self._item, "type": "message", "role": "assistant", "status": status, "content": content}

    def _part(self, text: str, annotations: list[Json]) -> Json:
        return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}

    def _response(self, status: str, output: list[Json]) -> Json:
        heading, wanted, draft = self._heading, self._wanted, self.draft
        over = status != "in_progress"
        error = failed(draft.fault).message if draft.fault else None
        reason = _REASONS.get(draft.finish) if status == "incomplete" else None
        return {
            "id": heading.id,
            "object": "response",
            "created_at": heading.created,
            "status": status,
            "background": False,
            "error": {"code": "server_error", "message": error} if error else None,
            "incomplete_details": {"reason": reason} if reason else None,
            "instructions": wanted.instructions,
            "max_output_tokens": wanted.most,
            "metadata": dict(wanted.metadata),
            "model": heading.model,
            "output": output,
            "parallel_tool_calls": False,
            "previous_response_id": wanted.previous,
            "store": wanted.store,
            "temperature": wanted.temperature,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": wanted.top_p,
            "truncation": "disabled",
            "usage": self._usage() if over else None,
            "citations": draft.citations,
            "refused": draft.refused,
            "aigc": heading.aigc,
        }

    def _usage(self) -> Json:
        asked, answered = self._heading.prompt, self.draft.tokens
        return {
            "input_tokens": asked,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": answered,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": asked + answered,
        }
