"""What is found in each format and encoding, and what it costs: `python -m tests.knowledge.format_table`."""

import sys
from dataclasses import dataclass
from time import process_time

from knowledge.ingest import Reading, read
from knowledge.parse import FileLimits
from tests.knowledge.specimens import Fact, Specimen, specimens


@dataclass(frozen=True, slots=True)
class Outcome:
    specimen: Specimen
    reading: Reading
    found: int
    milliseconds: float


def outcome(specimen: Specimen) -> Outcome:
    began = process_time()
    reading = read(specimen.name, specimen.data, FileLimits())
    spent = (process_time() - began) * 1e3
    return Outcome(specimen, reading, sum(stands(fact, reading) for fact in specimen.facts), spent)


def stands(fact: Fact, reading: Reading) -> bool:
    return any(
        fact.text in reading.text[place.start : place.end]
        and fact.page in (None, place.page)
        and (fact.under is None or fact.under in place.section)
        and fact.at in (None, place.at)
        for place in reading.places
    )


def main() -> None:
    sys.stdout.write(f"{'format':<10}{'encoding':<14}{'language':<10}{'facts':>7}{'CPU ms':>9}\n")
    for specimen in specimens():
        outcome(specimen)
        done = outcome(specimen)
        facts = f"{done.found}/{len(specimen.facts)}"
        sys.stdout.write(
            f"{specimen.format:<10}{specimen.encoding:<14}{specimen.lang:<10}{facts:>7}{done.milliseconds:>9.1f}\n"
        )


if __name__ == "__main__":
    main()
