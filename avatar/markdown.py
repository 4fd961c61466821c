"""Markdown as words to say: what the marks mean is dropped, what they mark is kept. No I/O."""

import re

_NEAR = 160
"""Characters within which a bracket must close to mean anything: the most that is held back."""

_WORDS = re.compile(r"[^\[\]【】［］<`*_~|\\\nhHwWfF(（ \t]+")
_RUN = re.compile(r"[\[【［]+(?=[\[【［])")
_EDGE = re.compile(r"[\[\]【】［］\n]")
_REFERENCE = re.compile(r"\^?\d{1,3}(?:\s?[,，、–-]\s?\d{1,3}){0,8}|[^†]*†.*|[ xX]?")
_ELEMENT = re.compile(r"</?[a-z!][^<>\n]{0,80}>", re.IGNORECASE)
_ADDRESSES = ("https://", "http://", "ftp://", "www.")
_ADDRESS = re.compile(r"[\w\-.~:/?#@!$&'*+,;=%]*", re.ASCII)
_BULLETS = "•·◦▪●■◆►➤"

_CODE_END = re.compile(r"```")
_TARGET_END = re.compile(r"\)|(?=[\n。！？])")
_HEADING_END = re.compile(r"(?=[^#])")
_RULE_END = re.compile(r"(?=[^-=:| \t])")
_LONGEST_END = 3


class Prose:
    """`feed` Markdown as it comes, `flush` at its end; how it is cut makes no difference to what is joined of it.

    A link is its text, a table its cells parted by commas. List marks, emphasis, headings, rules, references,
    addresses, elements and blocks of code are left out, and so are spaces beyond one.
    """

    def __init__(self) -> None:
        self._held = ""
        self._until: re.Pattern[str] | None = None
        self._address: str | None = None
        self._line_start = True
        self._gap = ""
        self._before = "\n"
        self._link = False
        self._out: list[str] = []

    def feed(self, text: str) -> str:
        return self._read(text, last=False)

    def flush(self) -> str:
        return self._read("", last=True)

    def _read(self, text: str, last: bool) -> str:
        buffer, at = self._held + text, 0
        while at < len(buffer):
            after = self._step(buffer, at, last)
            if after == at:
                break
            at = after
        self._held = "" if last else buffer[at:]
        out = "".join(self._out)
        self._out.clear()
        return out

    def _step(self, buffer: str, at: int, last: bool) -> int:
        """Where to read on; `at` itself where more must come first."""
        if self._until is not None:
            return self._leave_out(self._until, buffer, at)
        if self._address is not None:
            return self._leave_out_address(buffer, at, last)
        if self._line_start:
            return self._begin_line(buffer, at, last)
        return self._inline(buffer, at, last)

    def _inline(self, buffer: str, at: int, last: bool) -> int:
        if words := _WORDS.match(buffer, at):
            return self._say(words[0], words.end())
        match buffer[at]:
            case " " | "\t":
                self._gap = self._gap or " "
                return at + 1
            case "\n":
                return self._end_line(at)
            case "[" | "【" | "［":
                return self._bracket(buffer, at, last)
            case "]" if self._link:
                return self._target(at)
            case "<":
                return self._element(buffer, at, last)
            case "`":
                return self._code(buffer, at, last)
            case "|":
                self._gap = "|"
                return at + 1
            case "*" | "_" | "~" | "\\":
                return self._emphasis(buffer, at, last)
            case "(" | "（" | "h" | "H" | "w" | "W" | "f" | "F":
                return self._maybe_address(buffer, at, last)
            case literal:
                return self._say(literal, at + 1)

    def _begin_line(self, buffer: str, at: int, last: bool) -> int:
        """Drop what marks a line as a heading, an item, a quotation, a rule or a row; then the line is read."""
        char, after = buffer[at], buffer[at + 1 : at + 2]
        if char in " \t>|" or char in _BULLETS:
            return at + 1
        if char == "\n":
            return self._end_line(at)
        if char in "#-=:+*!":
            if not after and not last:
                return at
            if char == "#" and after in ("#", " ", "\t", "\n", ""):
                self._until = _HEADING_END
                return at + 1
            if char in "-=:" and after in ("-", "=", ":"):
                self._until = _RULE_END
                return at + 1
            if (char in "-+*" and after in (" ", "\t", "\n", "")) or (char == "!" and after == "["):
                return at + 1
        self._line_start = False
        return self._inline(buffer, at, last)

    def _end_line(self, at: int) -> int:
        if self._before != "\n":
            self._out.append("\n")
            self._before = "\n"
        self._line_start, self._gap = True, ""
        return at + 1

    def _bracket(self, buffer: str, at: int, last: bool) -> int:
        if run := _RUN.match(buffer, at):
            return self._say(run[0], run.end())
        edge = _EDGE.search(buffer, at + 1, at + _NEAR)
        if edge is None:
            return at if len(buffer) - at < _NEAR and not last else self._say(buffer[at], at + 1)
        if edge[0] in "]】］":
            if _REFERENCE.fullmatch(buffer, at + 1, edge.start()):
                return edge.end()
            if edge[0] == "]" and edge.end() == len(buffer) and not last:
                return at
            if buffer.startswith("](", edge.start()):
                self._link = True
                return at + 1
        return self._say(buffer[at], at + 1)

    def _target(self, at: int) -> int:
        self._link, self._until = False, _TARGET_END
        return at + 2

    def _element(self, buffer: str, at: int, last: bool) -> int:
        if element := _ELEMENT.match(buffer, at):
            return element.end()
        begins = len(buffer) == at + 1 or buffer[at + 1] in "/!" or buffer[at + 1].isalpha()
        near = len(buffer) - at < 84 and not any(char in buffer[at + 1 :] for char in "<>\n")
        return at if begins and near and not last else self._say("<", at + 1)

    def _code(self, buffer: str, at: int, last: bool) -> int:
        if buffer.startswith("```", at):
            self._until = _CODE_END
            return at + 3
        return at if len(buffer) - at < 3 and buffer[at:].strip("`") == "" and not last else at + 1

    def _emphasis(self, buffer: str, at: int, last: bool) -> int:
        """A mark that stands between two figures or letters, or by itself, is meant: 3*4, snake_case, 3~5."""
        char, after = buffer[at], buffer[at + 1 : at + 2]
        if not after and not last:
            return at
        if char == "~":
            return at + 2 if after == "~" else self._say(char, at + 1)
        if char == "\\":
            return at + 1 if after in "\\`*_{}[]()#+-.!|~<>" else self._say(char, at + 1)
        before = self._gap or self._before
        if char == "*":
            meant = (before.isdigit() and after.isdigit()) or (before == after == " ")
        else:
            meant = _plain_letter(before) and _plain_letter(after)
        return self._say(char, at + 1) if meant else at + 1

    def _maybe_address(self, buffer: str, at: int, last: bool) -> int:
        char = buffer[at]
        first = at + 1 if char in "(（" else at
        ahead = buffer[first : first + 8].lower()
        if char in "(（" or not _plain_letter(self._gap or self._before):
            if ahead.startswith(_ADDRESSES):
                self._address = {"(": ")", "（": "）"}.get(char, "")
                return first + len("www.")
            if not last and any(address.startswith(ahead) for address in _ADDRESSES):
                return at
        return self._say(char, at + 1)

    def _leave_out_address(self, buffer: str, at: int, last: bool) -> int:
        """To its end, but for a stop or a comma that belongs to the sentence."""
        match = _ADDRESS.match(buffer, at)
        end = match.end() if match else at
        if end == len(buffer) and not last:
            return max(at, end - 1)
        closing, self._address = self._address, None
        if closing:
            return end + 1 if buffer.startswith(closing, end) else end
        if end > at and buffer[end - 1] in ".,;:!?":
            self._gap = ""
            return self._say(buffer[end - 1], end)
        return end

    def _leave_out(self, until: re.Pattern[str], buffer: str, at: int) -> int:
        if end := until.search(buffer, at):
            self._until = None
            return end.end()
        return max(at, len(buffer) - _LONGEST_END + 1)

    def _say(self, text: str, after: int) -> int:
        if self._gap == "|":
            text = (", " if self._before.isascii() else "，") + text if self._before != "\n" else text
        elif self._before != "\n":
            text = self._gap + text
        self._out.append(text)
        self._line_start, self._gap, self._before = False, "", text[-1]
        return after


def _plain_letter(char: str) -> bool:
    return char.isascii() and char.isalnum()
