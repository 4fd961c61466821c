"""`zhubo ask`: one question, or a file of them, answered by the whole presenter without a server."""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from configs.engines import ConfigError
from configs.home import current
from server.commands.options import require_writable, settings_from, with_settings
from server.timecode import time_code

if TYPE_CHECKING:
    from server.asking import Answer


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("ask", help="ask the presenter from the command line")
    with_settings(parser)
    parser.add_argument("question", nargs="?", help="the question")
    parser.add_argument("--lang", choices=("zh", "en"), help="language to answer in (default: the question's)")
    parser.add_argument("--file", type=Path, metavar="QUESTIONS", help="one question a line, in UTF-8")
    parser.add_argument("--base", metavar="NAME", help="the knowledge base to answer from (default: the persona's)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--wav", type=Path, metavar="OUT", help="write the speech of a single question")
    parser.add_argument("--cues", type=Path, metavar="OUT", help="write its timed visemes, emotions and gestures")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from avatar.labels import labelled
    from server.asking import ask_all, write_wav
    from server.assemble import Service

    questions = list(_questions(arguments))
    for path in filter(None, (arguments.wav, arguments.cues)):
        require_writable(path)
    service = Service(settings_from(arguments), current())
    show = _show_json if arguments.json else _show_text
    answers = asyncio.run(ask_all(service, questions, arguments.lang, show, arguments.base))
    label = service.producer.label(str(uuid4()))
    if arguments.wav:
        write_wav(arguments.wav, answers[0], label)
    if arguments.cues:
        cues = orjson.dumps({"cues": answers[0].cues}, option=orjson.OPT_INDENT_2)
        arguments.cues.write_bytes(labelled(cues, "json", label))
    return 1 if any(answer.fallback for answer in answers) else 0


def _questions(arguments: argparse.Namespace) -> Iterator[str]:
    if (arguments.question is None) == (arguments.file is None):
        raise ConfigError("give either a question or --file QUESTIONS")
    if arguments.file and (arguments.wav or arguments.cues):
        raise ConfigError("--wav and --cues go with a single question, not with --file")
    if arguments.question is not None:
        yield arguments.question
        return
    try:
        lines = arguments.file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {arguments.file}: {error}") from error
    yield from (line.strip() for line in lines if line.strip())


def _show_json(answer: "Answer") -> None:
    sys.stdout.write(orjson.dumps(answer.as_json()).decode() + "\n")
    sys.stdout.flush()


def _show_text(answer: "Answer") -> None:
    sys.stdout.write(f"{answer.text.strip()}\n")
    for citation in answer.citations:
        place = " › ".join(citation.place.section)
        page = f", p. {citation.place.page}" if citation.place.page else ""
        at = f", {time_code(citation.place.at)}" if citation.place.at is not None else ""
        sys.stdout.write(f"  [{citation.title}{page}{at}{': ' if place else ''}{place}] {citation.quote}\n")
    sys.stdout.flush()
