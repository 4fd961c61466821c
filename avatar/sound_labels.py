"""WAV and the label in it: a RIFF chunk of its own, and the INFO comment, which tools keep when they copy the sound.

Measured with ffmpeg 5.1: `-c copy` into another WAV, or into FLAC, Ogg and MP3, drops the chunk and keeps the comment.
"""

import struct
from collections.abc import Iterable, Iterator

from avatar.speech import Audio

_OWN = b"AIGC"
_COMMENT = b"ICMT"
_LARGEST = 2**32 - 1


def wav(audio: Audio) -> bytes:
    """A WAV file of this sound."""
    form = struct.pack("<HHIIHH", 1, 1, audio.rate, 2 * audio.rate, 2, 16)
    return _riff([(b"fmt ", form), (b"data", audio.pcm)])


def written(data: bytes, label: str) -> bytes:
    """`data` with the label after its sound; raises ValueError where it is no whole WAV."""
    chunks = list(_chunks(data))
    told = [(kind, held) for kind, held in chunks if kind == b"LIST" and held[:4] == b"INFO"]
    notes = [note for _, held in told for note in _notes(held) if not _labels(*note)]
    kept = [(kind, held) for kind, held in chunks if kind != _OWN and (kind, held) not in told]
    text = label.encode("ascii")
    info = b"INFO" + b"".join(_chunk(kind, held) for kind, held in [(_COMMENT, text + b"\0"), *notes])
    return _riff([*kept, (_OWN, text), (b"LIST", info)])


def chunks_of_label(label: str) -> bytes:
    """What a WAV that is sent while it is made has before its sound."""
    text = label.encode("ascii")
    return _chunk(_OWN, text) + _chunk(b"LIST", b"INFO" + _chunk(_COMMENT, text + b"\0"))


def read(data: bytes) -> str | None:
    """The label's text: of its own chunk, else of the comment."""
    comment = None
    for kind, held in _chunks(data):
        if kind == _OWN:
            return held.decode("utf-8")
        if kind == b"LIST" and held[:4] == b"INFO":
            labels = (note for note in _notes(held) if _labels(*note))
            comment = next((text.rstrip(b"\0").decode("utf-8") for _, text in labels), comment)
    return comment


def _labels(kind: bytes, text: bytes) -> bool:
    return kind == _COMMENT and text.lstrip().startswith(b'{"AIGC"')


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("this is not a WAV file")
    found = list(_parts(data, 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))))
    if not {b"fmt ", b"data"} <= {kind for kind, _ in found}:
        raise ValueError("the WAV file is cut short")
    yield from found


def _notes(held: bytes) -> Iterable[tuple[bytes, bytes]]:
    return _parts(held, 4, len(held))


def _parts(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= end:
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        size = (
            end - at - 8 if (kind, size) == (b"data", _LARGEST) else size
        )  # of a file that was sent while it was made
        if at + 8 + size > end:
            raise ValueError("the WAV file is cut short")
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _chunk(kind: bytes, held: bytes) -> bytes:
    return kind + struct.pack("<I", len(held)) + held + bytes(len(held) % 2)


def _riff(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    body = b"WAVE" + b"".join(_chunk(kind, held) for kind, held in chunks)
    if len(body) > _LARGEST:
        raise ValueError("a WAV file cannot be larger than 4 GB")
    return b"RIFF" + struct.pack("<I", len(body)) + body
