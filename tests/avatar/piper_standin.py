"""A program with Piper's interface: `--model FILE --output-raw`, a line in, raw PCM out; a third of a second for each
Latin word, half of that for a Han character.

What it does wrong stands in the model's file: "dies", "dies midway", "mute", "hangs", or nothing.
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path)
    parser.add_argument("--output-raw", action="store_true")
    parser.add_argument("--length_scale", type=float, default=1.0)
    arguments = parser.parse_args()
    rate = json.loads(arguments.model.with_name(arguments.model.name + ".json").read_text())["audio"]["sample_rate"]
    fault = arguments.model.read_text()
    with arguments.model.with_name("started").open("a") as started:
        started.write(f"{arguments.length_scale}\n")
    for line in sys.stdin:
        with arguments.model.with_name("heard").open("a", encoding="utf-8") as heard:
            heard.write(line)
        if fault == "hangs":
            time.sleep(3600)
        if fault == "dies":
            raise SystemExit(3)
        for index, word in enumerate(re.findall("[A-Za-z]+|[\u4e00-\u9fff]", line)):
            if fault == "dies midway" and index == 1:
                raise SystemExit(3)
            if fault != "mute":
                sys.stdout.buffer.write(
                    b"\x00\x20\x00\xe0" * int(rate / (6 if word.isascii() else 12) * arguments.length_scale)
                )
                sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
