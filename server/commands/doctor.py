"""`zhubo doctor`: what is installed, what is missing for a profile, and what to do about it."""

import argparse
import sys
from dataclasses import asdict

import orjson

from configs.home import current
from server.commands.options import settings_from, with_settings
from server.diagnosis import Finding, examine

_MARKS = {"well": "ok", "absent": "--", "wrong": "!!"}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("doctor", help="say what is installed, what is missing, and what to do")
    with_settings(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments)
    findings = list(examine(settings, current()))
    well = all(finding.verdict != "wrong" for finding in findings)
    if arguments.json:
        report = {"profile": settings.profile, "well": well, "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() + "\n")
        return 0 if well else 1
    for finding in findings:
        sys.stdout.write(_line(finding))
    verdict = "can run" if well else "cannot run: see the lines marked !!"
    sys.stdout.write(f"\nprofile {settings.profile} {verdict}\n")
    return 0 if well else 1


def _line(finding: Finding) -> str:
    line = f"{_MARKS[finding.verdict]} {finding.name}: {finding.detail}\n"
    return f"{line}     do: {finding.advice}\n" if finding.advice else line
