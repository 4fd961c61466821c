"""`zhubo config check`: the effective settings with secrets masked, or precisely what is wrong with them."""

import argparse
import re
import sys
from typing import Any

import yaml

from configs.engines import options_of
from configs.settings import Settings
from server.commands.options import settings_from, with_settings

_SECRET = re.compile("key|token|secret|password|authorization", re.IGNORECASE)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("config", help="check and show the settings")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="show the effective settings, or what is wrong with them")
    with_settings(check)
    check.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments)
    sys.stdout.write(yaml.safe_dump(effective(settings), allow_unicode=True, sort_keys=False))
    return 0


def effective(settings: Settings) -> dict[str, object]:
    """Every setting with its value, engines' options with their defaults; secrets show as asterisks."""
    from agent.persona import load as load_persona
    from server.auth import require_open, require_safe

    require_safe(settings.server)
    require_open(settings.wyoming)
    load_persona(settings.persona)
    tree = settings.model_dump(mode="json", by_alias=True)
    for name, (kind, spec) in settings.engines().items():
        tree[name] = {
            "engine": spec.engine,
            "options": masked(options_of(kind, spec).model_dump(mode="json", by_alias=True)),
        }
    tree["safety"]["moderators"] = [
        {
            "engine": spec.engine,
            "options": masked(options_of("moderators", spec).model_dump(mode="json", by_alias=True)),
        }
        for spec in settings.safety.moderators
    ]
    return tree


def masked(value: Any, name: str = "") -> Any:
    """Options with what their names call a secret as asterisks; a number of `tokens` is none."""
    if _SECRET.search(name) and value is not None and not (isinstance(value, int) and name.endswith("tokens")):
        return "**********"
    match value:
        case dict():
            return {key: masked(inner, str(key)) for key, inner in value.items()}
        case list():
            return [masked(inner) for inner in value]
    return value
