"""What a document is about, in a few tags and one line: made from its own words, its title and its headings."""

import asyncio
import functools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from configs.language import Lang
from knowledge.documents import Document
from knowledge.lexical import question_terms, stem, terms
from knowledge.sentences import sentences

MOST, FEWEST = 6, 3
"""Tags of a document, where it has words enough."""

READ = 30_000
"""Characters of a document that are looked at."""

LINE: dict[Lang, int] = {"zh": 80, "en": 200}
"""Characters of a summary at most."""

_LONGEST = 6
_WEIGHED = 200
_HEADED = 2.5
"""What a word counts for standing in a title or heading, besides its occurrences."""

_RUN = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*[A-Za-z]|\d+(?:[.,:]\d+)*|[^\sA-Za-z\d]")
_CUT = re.compile(
    "[的了是在和与及或等对从到被把让给向于以为而且但就都也还又再很更最不没无有会能可要应须将已个只每各本该此其这那哪您你我他她它们请由按并来去上下"
    "一二三四五六七八九十百千万两几多少次场位名件元年月日时分点岁号路天人后前内外中过着里]"
)
_COLUMN = re.compile(
    r"(?:^|[；;] ?)[^；;：:\n]{1,20}[：:] ?(?=[^\n]*[；;])|(?<=[；;]) ?[^；;：:\n]{1,20}[：:] ?", re.MULTILINE
)
_DANGLING = re.compile(
    r"(?:它|她|他|该|其|此|这|It|Its|This|They|These|Those|She|He|There|That|Each)\b|[它她他该其此这]"
)
_ENDS = re.compile(r"[，。；：！？、,.;:!?()（）《》“”\"|]")
_DULL = re.compile(
    "after|also|and|before|but|can|centimetres|come|comes|day|days|each|eight|every|first|five|for|four|from"
    "|getting|her|here|him|his|hold|holds|hour|hours|least|less|made|make|makes|may|metre|metres|minute"
    "|minutes|month|more|most|nine|not|one|only|open|opens|own|people|person|said|says|second|seven|she|six"
    "|start|starts|such|take|takes|ten|than|the|them|there|they|third|three|time|times|two|use|used|week|when"
    "|where|while|with|year|years|yuan"
)
_PLAIN = re.compile(r"[^\W_]+(?:[ '’.+#-]+[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Labels:
    """`summary`: one line."""

    tags: tuple[str, ...]
    summary: str


class Labeller(Protocol):
    async def label(self, document: Document) -> Labels:
        """Never fails: a document of which nothing can be told has no labels."""
        ...


class Keywords:
    """`idf`: how much a term says in this knowledge base, as its lexical index tells; without it all say the same."""

    def __init__(self, idf: Callable[[str], float] | None = None) -> None:
        self._idf = idf or (lambda _: 1.0)

    async def label(self, document: Document) -> Labels:
        return await asyncio.to_thread(self.read, document)

    def read(self, document: Document) -> Labels:
        text = _COLUMN.sub("; ", document.text[:READ])
        headings = [document.title, *_headings(text)]
        words = _han_words(text, headings) if document.lang == "zh" else _latin_words(text, headings)
        weights = {word: count * self._telling(word) for word, count in words.items()}
        tags = _distinct(sorted(weights, key=lambda word: (-weights[word], word)))
        return Labels(tags, _summary(text, {tag: weights[tag] for tag in tags}, document.lang))

    def _telling(self, word: str) -> float:
        """The mean idf of its terms, pairs of characters in Chinese."""
        own = [term for term in terms(word) if len(term) > 1 or not _RUN.match(term)]
        return sum(map(self._idf, own)) / max(len(own), 1)


def plain_words(tag: str, longest: int = 30) -> bool:
    """May it be a tag: a few words or figures on one line, no marks, no orders at length?"""
    return len(tag) <= longest and _PLAIN.fullmatch(tag) is not None


def _headings(text: str) -> list[str]:
    """Lines that stand alone and end like no sentence."""
    lines = (line.strip() for line in text.splitlines())
    return [
        line
        for line in lines
        if 1 < len(line) <= 40 and not _ENDS.search(line.strip('《》“”"【】一二三四五六七八九十、'))
    ]


def _han_words(text: str, headings: Iterable[str]) -> dict[str, float]:
    """Runs of two to six characters that hold together, with their occurrences; parts of longer ones left out."""
    grams = [(run, start, end) for run in _RUN.findall(text) for start, end in _spans(len(run))]
    counts = Counter(run[start:end] for run, start, end in grams)
    before: defaultdict[str, set[str]] = defaultdict(set)
    after: defaultdict[str, set[str]] = defaultdict(set)
    for at, (run, start, end) in enumerate(grams):
        if end - start > 1 and counts[gram := run[start:end]] > 2:
            before[gram].add(run[start - 1] if start else f"^{at}")
            after[gram].add(run[end] if end < len(run) else f"${at}")
    total = max(sum(count for gram, count in counts.items() if len(gram) == 1), 1)
    headed = Counter(word for heading in headings for word in _parts(heading))
    found: dict[str, float] = {}
    for gram, count in counts.items():
        if len(gram) < 2 or _CUT.search(gram) and gram not in headed:
            continue
        free = len(before[gram]) > 1 and len(after[gram]) > 1
        if gram in headed or count > 2 and free and _cohesion(gram, counts, total) > 3:
            found[gram] = (count + _HEADED * min(headed[gram], 2)) * math.sqrt(len(gram))
    best = sorted(found, key=lambda word: (-found[word], word))[:_WEIGHED]
    return {word: found[word] for word in best if not _swallowed(word, best, counts)}


def _spans(length: int) -> Iterator[tuple[int, int]]:
    return ((at, end) for at in range(length) for end in range(at + 1, min(at + _LONGEST, length) + 1))


def _parts(heading: str) -> Iterator[str]:
    """A heading's words: what stands between "and", "of" and marks."""
    for run in _RUN.findall(heading):
        for part in re.split("以及|是?什么|能?[^能]?哪些|如何|怎么样?|怎样|[的与和及或]", run):
            if 2 <= len(part) <= _LONGEST:
                yield part


def _cohesion(gram: str, counts: Counter[str], total: int) -> float:
    """How much more often the characters stand together than chance would have them, at their weakest joint (log)."""
    splits = (counts[gram[:at]] * counts[gram[at:]] for at in range(1, len(gram)))
    return math.log(counts[gram] * total / max(splits))


def _swallowed(word: str, found: Iterable[str], counts: Counter[str]) -> bool:
    """Does it stand nearly always within a longer one?"""
    return any(word != other and word in other and counts[other] > 0.7 * counts[word] for other in found)


def _latin_words(text: str, headings: Iterable[str]) -> dict[str, float]:
    """Words and pairs of neighbouring content words, as they are mostly written, with their occurrences."""
    counts: Counter[tuple[str, ...]] = Counter()
    written: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for phrase in _phrases(text):
        for size in (1, 2):
            for at in range(len(phrase) - size + 1):
                gram = phrase[at : at + size]
                key = tuple(stem(word.casefold()) for word in gram)
                counts[key] += 1
                written[key][" ".join(gram)] += 1
    headed = Counter(key for heading in headings for key in _stems(heading))
    found: dict[str, float] = {}
    for key, count in counts.items():
        if count + headed[key] < 2 or (len(key) > 1 and count < 2):
            continue
        surface = min(written[key], key=lambda form: (-written[key][form], not form.islower(), form))
        found[surface] = (count + _HEADED * min(headed[key], 2)) * len(key)
    return found


def _phrases(text: str) -> Iterator[list[str]]:
    """Stretches of content words between function words, marks and figures."""
    for line in text.splitlines():
        phrase: list[str] = []
        for word in [*_WORD.findall(line), "."]:
            if word[0].isalpha() and len(word) > 2 and _says(word):
                phrase.append(word)
            elif phrase:
                yield phrase
                phrase = []


@functools.lru_cache(maxsize=4096)
def _says(word: str) -> bool:
    """Is it more than a function word?"""
    return not _DULL.fullmatch(word.casefold()) and question_terms(f"{word} 0") != {"0"}


def _stems(heading: str) -> Iterator[tuple[str, ...]]:
    for phrase in _phrases(heading):
        for size in (1, 2):
            for at in range(len(phrase) - size + 1):
                yield tuple(stem(word.casefold()) for word in phrase[at : at + size])


def _distinct(ranked: Iterable[str]) -> tuple[str, ...]:
    """The first few, without those that repeat a part of one before."""
    kept: list[str] = []
    for word in ranked:
        folded = {stem(part) for part in word.casefold().split()}
        repeats = any(
            word in other or other in word
            if _RUN.search(word)
            else folded & {stem(p) for p in other.casefold().split()}
            for other in kept
        )
        if not repeats and plain_words(word):
            kept.append(word)
        if len(kept) == MOST:
            break
    return tuple(kept)


def _summary(text: str, weights: dict[str, float], lang: Lang) -> str:
    """The early sentence that has most of the tags."""
    best, most = "", 0.0
    candidates = [
        sentence
        for sentence in sentences(text)
        if sentence.endswith(("。", ".", "！", "!")) and 10 < len(sentence) <= LINE[lang]
        if not (_DANGLING.match(sentence) or sentence.startswith(";") or "; " in sentence)
    ]
    for at, sentence in enumerate(candidates[:40]):
        folded = sentence.casefold()
        score = sum(math.sqrt(weight) for tag, weight in weights.items() if tag.casefold() in folded) / (1 + at / 4)
        if score > most:
            best, most = sentence, score
    return best or (candidates[0] if candidates else "")
