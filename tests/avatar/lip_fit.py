"""Make avatar/durations.txt and avatar/acoustics.txt from Kokoro's speech of the fitted texts, none of them measured:
`python -m tests.avatar.lip_fit` (four minutes)."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar import acoustics
from avatar.durations import describe, kind
from avatar.phonemes import AFTER
from configs.language import LANGUAGES
from tests.avatar.lip_texts import FITTED, VOICES
from tests.avatar.lip_truth import Said, said

_FOLDER = Path(__file__).parents[2] / "avatar"
_RIDGE = 0.3
_SHORTEST = 0.0125
_ENOUGH = 25
"""Frames of 10 ms from which a sound has Gaussians of its own."""
_ROOM = 0.15
_PAUSE = 0.12


def durations(spoken: list[Said]) -> Iterator[tuple[str, float]]:
    """Least squares on the logarithms of all sounds' lengths, with a penalty on large weights."""
    places: dict[str, int] = {"base": 0}
    rows: list[list[int]] = []
    lasting: list[float] = []
    for one in spoken:
        for word, final in zip(one.words, one.finals(), strict=True):
            spans = one.within(word)
            edges = [*(span.start for span in spans), word.end]
            for index, traits in enumerate(describe([span.phoneme for span in spans], final=final)):
                rows.append([0, *(places.setdefault(trait, len(places)) for trait in traits)])
                lasting.append(np.log(max(edges[index + 1] - edges[index], _SHORTEST)))
    design = np.zeros((len(rows), len(places)))
    for row, columns in enumerate(rows):
        design[row, columns] = 1
    penalty = _RIDGE * np.eye(len(places))
    penalty[0, 0] = 0
    solved = np.linalg.solve(design.T @ design + penalty, design.T @ np.array(lasting))
    for name, place in places.items():
        yield name, float(solved[place])


def gaussians(spoken: list[Said]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Mean and spread of the frames of each sound, and of each kind of sound for those that are rare."""
    frames: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    for one in spoken:
        samples = np.frombuffer(one.audio.pcm, "<i2").astype(np.float32) / 32768
        found = acoustics.features(samples, one.audio.rate)
        found = acoustics.moving(found, acoustics.level(found[:, -1]))
        for span in one.phonemes:
            if not span.phoneme and span.end - span.start < _PAUSE:
                continue  # the join of two words, which is not silent
            name = "".join(symbol for symbol in span.phoneme if symbol not in AFTER or symbol in "ʰʲ")
            inside = found[int(np.ceil(span.start / acoustics.HOP - 1e-6)) : int(span.end / acoustics.HOP + 1e-6)]
            frames[name].append(inside)
            frames[f"kind:{kind(name)}"].append(inside)
    for name, parts in sorted(frames.items()):
        inside = np.concatenate(parts)
        if len(inside) >= _ENOUGH:
            yield name or "_", np.concatenate([inside.mean(0), inside.std(0) + _ROOM])


async def main() -> None:
    lengths, sounds = ["# Made by tests/avatar/lip_fit.py."], ["# Made by tests/avatar/lip_fit.py."]
    for lang in LANGUAGES:
        spoken = [one async for one in said(FITTED[lang], VOICES[lang][0], lang)]
        lengths += [f"{lang} {name} {weight:.3f}" for name, weight in durations(spoken)]
        sounds += [f"{lang} {name} {' '.join(f'{value:.2f}' for value in row)}" for name, row in gaussians(spoken)]
    (_FOLDER / "durations.txt").write_text("\n".join(lengths) + "\n", "utf-8")
    (_FOLDER / "acoustics.txt").write_text("\n".join(sounds) + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
