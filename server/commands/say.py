"""`zhubo say`: a text spoken by the configured voice into a WAV file that says that it is generated."""

import argparse
import asyncio
import sys
import uuid
from pathlib import Path

from configs.engines import ConfigError
from configs.home import current
from configs.settings import Settings
from server.commands.options import require_writable, settings_from, with_settings

_CAPTIONS = (".vtt", ".srt")


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("say", help="speak a text into a WAV file, with captions")
    with_settings(parser)
    parser.add_argument("text", metavar="TEXT", help="what to say; - reads it from standard input")
    parser.add_argument("--lang", choices=("zh", "en"), help="the language to speak (default: the text's)")
    parser.add_argument("--persona", metavar="NAME", help="whose voice (default: the settings' persona)")
    parser.add_argument("--out", type=Path, default=Path("speech.wav"), metavar="FILE.wav", help="default: speech.wav")
    parser.add_argument("--captions", type=Path, metavar="FILE", help="write WebVTT (.vtt, timed words) or SRT (.srt)")
    parser.add_argument(
        "--notice",
        choices=("speech", "tone"),
        default="speech",
        help="how the sound says at its beginning that it is AI-generated: a sentence, or Morse A I (default: speech)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from avatar.labels import Producer, labelled
    from avatar.sound_labels import wav
    from avatar.speech import VoiceError
    from server.speaking import speak

    text, settings = _text(arguments.text), _settings(arguments)
    _check(arguments)
    try:
        speech = asyncio.run(speak(text, arguments.lang, settings, current(), arguments.notice))
    except VoiceError as error:
        sys.stderr.write(f"zhubo: {error}\n")
        return 1
    label = Producer.of(settings.labels).label(str(uuid.uuid4()))
    arguments.out.write_bytes(labelled(wav(speech.audio), "wav", label))
    if arguments.captions is not None:
        from avatar.captions import srt, webvtt

        if arguments.captions.suffix == ".vtt":
            arguments.captions.write_bytes(labelled(webvtt(speech.lines).encode(), "vtt", label))
        else:
            arguments.captions.write_text(srt(speech.lines), "utf-8")
    sys.stdout.write(f"{arguments.out}: {speech.audio.seconds:.1f} s\n")
    return 0


def _text(given: str) -> str:
    if given == "-":
        try:
            given = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError("the text on standard input is not UTF-8") from error
    if not any(map(str.isalnum, given)):
        raise ConfigError("there is nothing to say in this text")
    return given


def _settings(arguments: argparse.Namespace) -> Settings:
    settings = settings_from(arguments)
    return settings.model_copy(update={"persona": arguments.persona}) if arguments.persona else settings


def _check(arguments: argparse.Namespace) -> None:
    require_writable(arguments.out)
    if arguments.captions is None:
        return
    if arguments.captions.suffix not in _CAPTIONS:
        raise ConfigError(f"captions are written as .vtt or .srt, not {arguments.captions.suffix or 'without ending'}")
    require_writable(arguments.captions)
