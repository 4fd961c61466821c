"""Sound as bytes: silence, and cutting what was made at once into pieces that can be sent while it plays."""

from collections.abc import AsyncIterator, Iterator

from avatar.speech import Audio


def silence(samples: int) -> bytes:
    return bytes(2 * samples)


def pieces(pcm: bytes, rate: int, seconds: float = 0.4) -> Iterator[Audio]:
    """`pcm` (mono s16) in pieces of at most `seconds`; joined they are `pcm` again."""
    step = 2 * max(1, int(rate * seconds))
    for start in range(0, len(pcm), step):
        yield Audio(pcm[start : start + step], rate)


async def evened(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Bytes of s16 samples cut anywhere, in whole samples; half a sample at the end is dropped."""
    odd = b""
    async for chunk in chunks:
        data = odd + chunk
        whole = len(data) & ~1
        odd = data[whole:]
        if whole:
            yield data[:whole]
