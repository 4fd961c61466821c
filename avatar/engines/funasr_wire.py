"""The words of the FunASR runtime's WebSocket: what is sent, and what its answers amount to. Pure."""

from enum import Enum
from typing import Any

import orjson

from avatar.hearing import RATE, Expectation, RecognizerError

CHUNK = 1920
"""Bytes in a binary frame: 60 ms, as the servers' voice activity detection expects with these chunk sizes."""
END = orjson.dumps({"is_speaking": False, "is_end": True}).decode()
"""`is_end` asks for an acknowledgement; servers that know of none ignore it."""


class Progress(Enum):
    """`PERHAPS`: unless something follows within a moment."""

    MORE = 0
    PERHAPS = 1
    DONE = 2


def beginning(expectation: Expectation, name: str, chunks: tuple[int, int, int], itn: bool, weight: int) -> str:
    """The first message. `weight`: of each hot word."""
    message: dict[str, Any] = {
        "mode": "2pass",
        "wav_name": name,
        "wav_format": "pcm",
        "audio_fs": RATE,
        "is_speaking": True,
        "chunk_size": chunks,
        "chunk_interval": 10,
        "itn": itn,
    }
    if expectation.words:
        message["hotwords"] = orjson.dumps(dict.fromkeys(expectation.words, weight)).decode()
    return orjson.dumps(message).decode()


class Transcript:
    """Corrected sentences, and after them what the streaming pass has heard of the next one.

    What `is_final` means depends on the server: of the C++ runtime the last message of all; of its Python counterpart
    that the client still speaks, so that the last message is the one without it; of a third the end of each sentence.
    """

    def __init__(self) -> None:
        self._corrected = self._fresh = ""
        self._speaking_told = self._closed_before = False

    @property
    def text(self) -> str:
        return _joined(self._corrected, self._fresh).strip()

    def feed(self, message: str | bytes, ended: bool) -> Progress:
        """`ended`: the end was sent. Raises RecognizerError where it is no message of the protocol."""
        answer = _parsed(message)
        mode, text, final = answer.get("mode"), answer.get("text", ""), answer.get("is_final") is True
        if not isinstance(text, str):
            raise RecognizerError("failed", "FunASR sent a text that is none")
        if answer.get("error") or text.startswith("ERROR"):
            raise RecognizerError("failed", "FunASR reports a fault of its own")
        if answer.get("is_end") is True:
            return Progress.DONE if ended else Progress.MORE
        streaming, correcting = mode in ("2pass-online", "online"), mode in ("2pass-offline", "offline")
        if streaming:
            self._fresh = _joined(self._fresh, text)
        elif correcting:
            self._corrected, self._fresh = _joined(self._corrected, text), ""
        if ended:
            progress = self._ending(final, streaming, correcting, "spk_name" in answer)
        else:
            progress, self._closed_before = Progress.MORE, self._closed_before or final
        self._speaking_told |= final and streaming
        return progress

    def _ending(self, final: bool, streaming: bool, correcting: bool, acknowledges: bool) -> Progress:
        if self._speaking_told and not final:
            return Progress.DONE if correcting else Progress.MORE
        if final:
            return Progress.PERHAPS if streaming or acknowledges or self._closed_before else Progress.DONE
        return Progress.PERHAPS if correcting else Progress.MORE


def _parsed(message: str | bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(message)
    except ValueError as error:
        raise RecognizerError("failed", "FunASR sent no JSON") from error
    if not isinstance(answer, dict):
        raise RecognizerError("failed", "FunASR sent no JSON object")
    return answer


def _joined(before: str, after: str) -> str:
    """English words come without the space that parts them."""
    apart = before[-1:].isascii() and after[:1].isascii() and after[:1].isalnum() and not before[-1:].isspace()
    return before + (" " if before and apart else "") + after
