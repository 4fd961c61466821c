"""A conversation and what is asked of the model, as the OpenAI chat protocol writes them."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from agent.model import Called, Message, Offer, Part, Returned, ToolCall

Json = dict[str, Any]


def messages(parts: Sequence[Part]) -> list[Json]:
    return [_message(part) for part in parts]


def tools(offers: Sequence[Offer]) -> list[Json]:
    return [
        {
            "type": "function",
            "function": {"name": offer.name, "description": offer.description, "parameters": dict(offer.parameters)},
        }
        for offer in offers
    ]


def response_format(schema: Mapping[str, Any]) -> Json:
    """The protocol wants a name: the schema's title, where that is an identifier."""
    title = str(schema.get("title", ""))
    name = title if title.isascii() and title.isidentifier() else "answer"
    return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(schema), "strict": True}}


def _message(part: Part) -> Json:
    match part:
        case Message(role, text):
            return {"role": role, "content": text}
        case Called(calls, text):
            return {"role": "assistant", "content": text, "tool_calls": [_call(call) for call in calls]}
        case Returned(call, name, text):
            return {"role": "tool", "tool_call_id": call, "name": name, "content": text}


def _call(call: ToolCall) -> Json:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": _object(call.arguments)},
    }


def _object(arguments: str) -> str:
    """Servers refuse a conversation in which a call's arguments are no JSON object."""
    try:
        return arguments if isinstance(orjson.loads(arguments), dict) else "{}"
    except orjson.JSONDecodeError:
        return "{}"
