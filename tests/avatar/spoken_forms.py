"""Written forms and their readings: `python -m tests.avatar.spoken_forms` prints each case, and how many are right."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from avatar.spoken import spoken
from configs.language import LANGUAGES, Lang

_TABLE = Path(__file__).with_suffix(".yaml")
_BESIDE_HAN = re.compile(r"(?<=[^\x00-\x7f]) +| +(?=[^\x00-\x7f])")


@dataclass(frozen=True, slots=True)
class Form:
    """`said`: how a native speaker reads `written`."""

    lang: Lang
    kind: str
    written: str
    said: str

    @property
    def reading(self) -> str:
        """What ours is, without the spaces that nobody hears."""
        return heard(spoken(self.written, self.lang), self.lang)

    @property
    def right(self) -> bool:
        return self.reading == heard(self.said, self.lang)


def heard(text: str, lang: Lang) -> str:
    """`text` without what makes no difference to the ear: spaces, and hyphens within words."""
    text = re.sub(r"\s+([,.;:!?])", r"\1", " ".join(text.replace("-", " ").split()))
    return _BESIDE_HAN.sub("", text) if lang == "zh" else text


def forms() -> Iterator[Form]:
    table: dict[Lang, dict[str, dict[str, str]]] = yaml.safe_load(_TABLE.read_text("utf-8"))
    for lang in LANGUAGES:
        for kind, cases in table[lang].items():
            for written, said in cases.items():
                yield Form(lang, kind, str(written), str(said))


def main() -> int:
    listed = list(forms())
    for form in listed:
        print(f"{'ok   ' if form.right else 'WRONG'} {form.lang} {form.kind:<12} {form.written!r}")
        print(f"{'':21}{form.reading}")
        if not form.right:
            print(f"{'':12}expected {form.said}")
    for lang in LANGUAGES:
        cases = [form.right for form in listed if form.lang == lang]
        print(f"{lang}: {sum(cases)} of {len(cases)} as expected")
    return 0 if all(form.right for form in listed) else 1


if __name__ == "__main__":
    sys.exit(main())
