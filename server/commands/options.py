"""What every command that needs settings takes: a profile and a settings file."""

import argparse
import os
from pathlib import Path

from configs.settings import Settings, load, profiles


def with_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile",
        default=os.environ.get("ZHUBO_PROFILE", "offline"),
        help=f"one of {', '.join(profiles())} (default: $ZHUBO_PROFILE or offline)",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="a YAML file laid over the profile")


def settings_from(arguments: argparse.Namespace) -> Settings:
    return load(arguments.profile, arguments.config)
