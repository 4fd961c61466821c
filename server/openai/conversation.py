"""A client's messages as a question, the conversation before it, and instructions. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.commands import RemoteTool
from server.bodies.openai import ItemBody, MessageBody, PartBody, Role, ToolBody
from server.openai.errors import Wrong, wrong_value

INSTRUCTIONS = 8000
"""Characters of system and developer messages."""
_EXCHANGES = 24
"""Of the conversation so far, the latest that are looked at."""
_TEXTS = ("text", "input_text", "output_text", "refusal")

Said = tuple[Role, str]
"""Who said what."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`history`: questions and answers, oldest first; "" for what is not there. `tools`: the client's; `done`: their
    names and what they gave for this question already."""

    question: str
    instructions: str = ""
    history: tuple[tuple[str, str], ...] = ()
    tools: tuple[RemoteTool, ...] = ()
    done: tuple[tuple[str, str], ...] = ()


def offered(tools: Iterable[ToolBody] | None) -> tuple[RemoteTool, ...]:
    empty = {"type": "object", "properties": {}}
    given = (tool.function for tool in tools or ())
    return tuple(RemoteTool(one.name, one.description or "", one.parameters or empty) for one in given)


def done(given: Sequence[MessageBody]) -> tuple[Sequence[MessageBody], tuple[tuple[str, str], ...]]:
    """The messages up to the question, and what tools were asked and gave since. Raises Wrong."""
    if given[-1].role != "tool":
        return given, ()
    at = max((at for at, one in enumerate(given) if one.role == "user"), default=-1)
    names = {call.id: call.function.name for one in given[at + 1 :] for call in one.tool_calls or ()}
    found: list[tuple[str, str]] = []
    for place, one in enumerate(given[at + 1 :], at + 1):
        if one.role == "tool":
            if one.tool_call_id not in names:
                told = "no tool call before has this id / 前面没有这个 id 的工具调用"
                raise wrong_value(f"messages.{place}.tool_call_id", told)
            found.append((names[one.tool_call_id], _text(one.content, f"messages.{place}.content")))
    return given[: at + 1], tuple(found)


def messages(given: Iterable[MessageBody]) -> list[Said]:
    """Raises Wrong."""
    return [(one.role, _text(one.content, f"messages.{at}.content")) for at, one in enumerate(given)]


def items(given: str | Sequence[ItemBody]) -> list[Said]:
    """Raises Wrong."""
    if isinstance(given, str):
        return [("user", given)]
    said: list[Said] = []
    for at, one in enumerate(given):
        if one.type == "reasoning":
            continue
        if one.type != "message" or one.role is None:
            told = "only messages are taken here / 这里只接受 message 类型"
            raise wrong_value(f"input.{at}.type", f"{told}: {{type: message, role, content}}", "unsupported_value")
        said.append((one.role, _text(one.content, f"input.{at}.content")))
    return said


def asked(said: Sequence[Said], param: str, longest: int) -> Asked:
    """`longest`: characters of a question. Raises Wrong where nothing is asked, or too much."""
    instructions = "\n".join(text for role, text in said if role in ("system", "developer") and text.strip())
    talk = [(role, text) for role, text in said if role in ("user", "assistant")]
    begins = len(talk)
    while begins and talk[begins - 1][0] == "user":
        begins -= 1
    question = "\n".join(text for _, text in talk[begins:]).strip()
    if said and said[-1][0] not in ("user", "system", "developer"):
        question = ""
    if not question:
        raise wrong_value(
            param, "the last message has to be the user's, with words in it / 最后一条必须是用户的话，而且要有内容"
        )
    if len(question) > longest:
        raise _too_long(param, longest)
    if len(instructions) > INSTRUCTIONS:
        raise _too_long(param, INSTRUCTIONS)
    return Asked(question, instructions, tuple(_exchanges(talk[:begins]))[-_EXCHANGES:])


def _exchanges(talk: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Several messages of one side in a row are one."""
    question, answer = "", ""
    for role, text in talk:
        if role == "user" and answer:
            yield question, answer
            question, answer = "", ""
        if role == "user":
            question = f"{question}\n{text}".strip()
        else:
            answer = f"{answer}\n{text}".strip()
    if question or answer:
        yield question, answer


def _text(content: str | Sequence[PartBody] | None, param: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for part in content:
        if part.type not in _TEXTS:
            told = "only text is understood in messages / 消息里只接受文字"
            raise wrong_value(param, f"{told}: {{type: text, text}}", "unsupported_content")
    return "\n".join(part.text or part.refusal or "" for part in content)


def _too_long(param: str, most: int) -> Wrong:
    told = f"too long: at most {most} characters / 太长了，最多 {most} 个字符"
    return wrong_value(param, told, "context_length_exceeded")
