"""`zhubo models pull|list|verify`: the weights on this machine."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from configs.home import Home, current
from configs.weights.manifest import Model, packaged
from configs.weights.progress import Progress, size
from configs.weights.pull import PullError, pull


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("models", help="bring, list and verify the model weights")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    bring = actions.add_parser("pull", help="download what is missing or damaged")
    bring.add_argument("names", nargs="*", metavar="NAME", help="models (default: the group `offline`)")
    bring.add_argument("--group", help="all models of a group, e.g. offline")
    bring.add_argument(
        "--from",
        dest="folder",
        type=Path,
        metavar="FOLDER",
        help="look first for FOLDER/<model>/<file>, then elsewhere",
    )
    bring.set_defaults(run=run_pull)

    actions.add_parser("list", help="every model, its licence, and whether it is here").set_defaults(run=run_list)

    verify = actions.add_parser("verify", help="read every file again and compare it with its hash")
    verify.add_argument("names", nargs="*", metavar="NAME", help="models (default: those that are here, and `offline`)")
    verify.set_defaults(run=run_verify)


def run_pull(arguments: argparse.Namespace) -> int:
    models = _chosen(arguments.names, arguments.group)
    home = current()
    try:
        brought = pull(home, models, Progress(sys.stderr), arguments.folder)
    except (PullError, OSError) as error:
        sys.stderr.write(f"zhubo: {error}\n")
        return 1
    names = ", ".join(model.name for model in models)
    sys.stdout.write(f"{brought} files brought; complete: {names}\n" if brought else f"complete: {names}\n")
    return 0


def run_list(_: argparse.Namespace) -> int:
    home = current()
    for model in packaged().models:
        sys.stdout.write(f"{model.name:<30} {size(model.size):>9}  {state(home, model):<10} {model.group}\n")
        sys.stdout.write(f"    {model.purpose}; {model.licence}\n")
    sys.stdout.write(f"in {home.cache / 'models'}\n")
    return 0


def run_verify(arguments: argparse.Namespace) -> int:
    home = current()
    here = [model for model in packaged().models if model.group == "offline" or state(home, model) != "missing"]
    sound = True
    for model in _chosen(arguments.names, None) if arguments.names else here:
        flaws = {file.path: flaw for file in model.files if (flaw := model.flaw(home, file, afresh=True))}
        sys.stdout.write(
            f"{model.name}: {'sound' if not flaws else f'{len(flaws)} of {len(model.files)} files amiss'}\n"
        )
        for path, flaw in flaws.items():
            sound = False
            sys.stdout.write(f"    {path}: {flaw}; run `zhubo models pull {model.name}`\n")
    return 0 if sound else 1


def state(home: Home, model: Model) -> str:
    """`present`, `missing`, or `incomplete` where some files are missing or damaged."""
    flaws = [model.flaw(home, file) for file in model.files]
    if not any(flaws):
        return "present"
    return "missing" if all(flaw == "missing" for flaw in flaws) else "incomplete"


def _chosen(names: Sequence[str], group: str | None) -> Sequence[Model]:
    manifest = packaged()
    if not names and group is None:
        return manifest.group("offline")
    return [*map(manifest.model, names), *(manifest.group(group) if group else ())]
