"""Home Assistant's Wyoming protocol: frames of a byte stream, what clients ask, and what they are answered."""

from server.protocols.wyoming.agreement import Agreement
from server.protocols.wyoming.frames import Broken, Frame, Parser, encoded
from server.protocols.wyoming.requests import (
    Ask,
    AudioChunk,
    AudioStart,
    AudioStop,
    Describe,
    Format,
    Manner,
    Ping,
    Request,
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    Transcribe,
    Unfit,
    request,
    streams,
)

__all__ = [
    "Agreement",
    "Ask",
    "AudioChunk",
    "AudioStart",
    "AudioStop",
    "Broken",
    "Describe",
    "Format",
    "Frame",
    "Manner",
    "Parser",
    "Ping",
    "Request",
    "Synthesize",
    "SynthesizeChunk",
    "SynthesizeStart",
    "SynthesizeStop",
    "Transcribe",
    "Unfit",
    "encoded",
    "request",
    "streams",
]
