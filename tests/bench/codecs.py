"""What a codec costs: CPU microseconds for a frame of sound, in and out, of OpenAI Realtime beside zhubo.v1.

python -m tests.bench.codecs
"""

import base64
import json
import statistics
import time
from collections.abc import Callable, Sequence

from agent.events import SentenceStarted, Speech, TurnStarted
from avatar.speech import Audio
from server.protocols.base import Codec, Frame, Welcome
from server.protocols.microphone import formats
from server.protocols.native import NativeCodec, Terms
from server.protocols.realtime import Defaults, Dialect, RealtimeCodec, SessionBody
from server.protocols.realtime.sound import APPEND

RATE = 24_000
FRAMES = 2000
ROUNDS = 7
MICROPHONE = 0.02
"""Seconds in a frame of the user's sound."""
VOICE = 0.1
"""And of ours."""


def realtime(format: str) -> RealtimeCodec:
    audio = {"input": {"format": {"type": format}}, "output": {"format": {"type": format}}}
    session = SessionBody.model_validate({"audio": audio})
    return RealtimeCodec(session, Defaults("zhubo", 0.6, 0.5), Dialect(noticed=True))


def appended(sound: bytes) -> str:
    return json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(sound).decode()})


def native() -> NativeCodec:
    codec = NativeCodec(Terms("main", {}, RATE, 2000, 65_536, formats()))
    codec.decode('{"type":"hello","protocol":"zhubo.v1"}')
    codec.encode(Welcome("session"))
    codec.decode(json.dumps({"type": "listen", "format": "pcm_s16le", "rate": RATE}))
    return codec


def cpu(work: Callable[[], object]) -> float:
    """Microseconds of one frame: the median of some rounds."""
    rounds = list[float]()
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(FRAMES):
            work()
        rounds.append((time.process_time() - begun) / FRAMES * 1e6)
    return statistics.median(rounds)


def largest() -> float:
    """Milliseconds that the loop stands still at most, for the largest event there may be."""
    codec, frame = realtime("audio/pcm"), appended(bytes(APPEND))
    steps, begun = list[float](), time.process_time()
    for _ in codec.decode(frame):
        now = time.process_time()
        steps.append(now - begun)
        begun = now
    assert len(steps) > 100
    return max(steps) * 1000


def heard(codec: Codec, frame: Frame) -> float:
    assert codec.decode(frame)
    return cpu(lambda: codec.decode(frame))


def spoken(codec: Codec) -> float:
    codec.encode(TurnStarted(1, "en"))
    codec.encode(SentenceStarted(1, 0, "Hello.", 0.0))
    speech = Speech(1, 0, 0.0, Audio(bytes(range(256)) * round(RATE * VOICE * 2 / 256), RATE))
    assert codec.encode(speech)
    return cpu(lambda: codec.encode(speech))


def main() -> None:
    pcm, coded = bytes(round(RATE * MICROPHONE) * 2), bytes(round(8000 * MICROPHONE))
    rows: Sequence[tuple[str, float, float]] = (
        ("zhubo.v1, PCM", heard(native(), b"\2\0\0\0" + pcm), spoken(native())),
        ("OpenAI Realtime, PCM", heard(realtime("audio/pcm"), appended(pcm)), spoken(realtime("audio/pcm"))),
        ("OpenAI Realtime, G.711", heard(realtime("audio/pcmu"), appended(coded)), spoken(realtime("audio/pcmu"))),
    )
    print(f"| codec | {MICROPHONE * 1000:.0f} ms of the user's sound, µs | {VOICE * 1000:.0f} ms of ours, µs |")
    print("|---|---|---|")
    for name, taken, given in rows:
        print(f"| {name} | {taken:.1f} | {given:.1f} |")
    print(f"\nThe largest append, 15 MiB: {largest():.0f} ms")


if __name__ == "__main__":
    main()
