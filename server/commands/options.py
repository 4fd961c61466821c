"""What every command that needs settings takes: a profile and a settings file."""

import argparse
import os
from pathlib import Path

from configs.engines import ConfigError
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


def require_writable(path: Path) -> None:
    """Told before the work is begun, for it takes a while."""
    if path.is_dir():
        raise ConfigError(f"cannot write {path}: it is a folder")
    if not path.parent.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"cannot write {path}: no such folder, or no permission")
