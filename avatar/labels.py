"""The implicit AIGC label of GB 45438-2025: who generated a content, in the metadata of each format we write.

MP3, Ogg Opus, AAC and FLAC have it from `avatar/engines/containers.py`, which writes them; SRT and raw PCM have no
place for metadata.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import quote, unquote

from avatar import picture_labels, sound_labels, text_labels
from configs.labels import LabelSettings

Format = Literal["wav", "png", "markdown", "json", "jsonl", "vtt"]
FORMATS: tuple[Format, ...] = get_args(Format)
HEADER = "X-AIGC"
"""The HTTP header, its value percent-encoded JSON."""
GENERATED = "1"
"""The Label of what is known to be generated; 2 (may be) and 3 (suspected) are for platforms that spread it."""

_KEYS = ("Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2")


class LabelError(ValueError):
    """The data is not of the named format, has no place for a label, or its label cannot be read."""


@dataclass(frozen=True, slots=True)
class Label:
    """`content`: unique among the producer's contents. `integrity`: ReservedCode1, see `Producer`.

    The propagator's three are for whoever spreads it and stay empty here.
    """

    producer: str
    content: str
    integrity: str = ""
    propagator: str = ""
    propagation: str = ""
    propagator_integrity: str = ""
    label: str = GENERATED

    @property
    def aigc(self) -> dict[str, str]:
        """The object under the key AIGC, for a JSON answer's field."""
        values = (self.label, self.producer, self.content, self.integrity)
        return dict(zip(_KEYS, (*values, self.propagator, self.propagation, self.propagator_integrity), strict=True))

    def json(self) -> str:
        """One line of ASCII without angle brackets, which stands in every format as it is."""
        text = json.dumps({"AIGC": self.aigc}, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

    @property
    def header(self) -> str:
        """The value of the `X-AIGC` header."""
        return quote(self.json(), safe="")


def read_json(text: str) -> Label:
    """Raises LabelError."""
    try:
        tree: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelError("the AIGC label is not JSON") from error
    return _label(tree.get("AIGC") if isinstance(tree, dict) else None)


def read_header(value: str) -> Label:
    """Raises LabelError."""
    return read_json(unquote(value))


def _label(aigc: Any) -> Label:
    if not isinstance(aigc, dict) or not all(isinstance(aigc.get(key, ""), str) for key in _KEYS):
        raise LabelError("the AIGC label is not an object of strings")
    if "Label" not in aigc:
        raise LabelError("the AIGC label lacks the value Label")
    values: dict[str, str] = dict.fromkeys(_KEYS, "") | {key: aigc[key] for key in _KEYS if key in aigc}
    return Label(
        producer=values["ContentProducer"],
        content=values["ProduceID"],
        integrity=values["ReservedCode1"],
        propagator=values["ContentPropagator"],
        propagation=values["PropagateID"],
        propagator_integrity=values["ReservedCode2"],
        label=values["Label"],
    )


@dataclass(frozen=True, slots=True)
class Producer:
    """Who generates. `key`: makes the integrity code an HMAC-SHA-256, else it is a SHA-256.

    The code is over the producer's name and the content's id, a line each: a label moved to another content, or
    claimed by another producer, shows. The content itself is not in it, for copying and converting it are allowed.
    """

    name: str
    key: bytes | None = None

    @classmethod
    def of(cls, settings: LabelSettings) -> "Producer":
        return cls(settings.producer, settings.key.get_secret_value().encode() if settings.key else None)

    def label(self, content: str) -> Label:
        return Label(self.name, content, self._code(content))

    def made(self, label: Label) -> bool:
        """Whether the label is ours and as we wrote it."""
        return label.producer == self.name and hmac.compare_digest(label.integrity, self._code(label.content))

    def _code(self, content: str) -> str:
        told = f"{self.name}\n{content}".encode()
        if self.key is None:
            return "sha256:" + hashlib.sha256(told).hexdigest()
        return "hmac-sha256:" + hmac.new(self.key, told, hashlib.sha256).hexdigest()


_WRITERS: dict[Format, Callable[[bytes, str], bytes]] = {
    "wav": sound_labels.written,
    "png": picture_labels.written,
    "markdown": text_labels.in_markdown,
    "json": text_labels.in_json,
    "jsonl": text_labels.in_jsonl,
    "vtt": text_labels.in_vtt,
}
_READERS: dict[Format, Callable[[bytes], str | None]] = {
    "wav": sound_labels.read,
    "png": picture_labels.read,
    "markdown": text_labels.of_markdown,
    "json": text_labels.of_json,
    "jsonl": text_labels.of_jsonl,
    "vtt": text_labels.of_vtt,
}


def labelled(data: bytes, format: Format, label: Label) -> bytes:
    """The file with the label in its metadata, in the place of one that it may have. Raises LabelError."""
    try:
        return _WRITERS[format](data, label.json())
    except ValueError as error:
        raise LabelError(f"not labelled: {error}") from error


def label_of(data: bytes, format: Format) -> Label | None:
    """The label of a file; None where it has none. Raises LabelError."""
    try:
        text = _READERS[format](data)
    except ValueError as error:
        raise LabelError(f"no label can be read: {error}") from error
    return None if text is None else read_json(text)
