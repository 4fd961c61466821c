"""Captions as WebVTT and SRT."""

from avatar.captions import Line, shifted, srt, webvtt
from avatar.speech import WordSpan

LINES = [
    Line("票价60元。", 0.0, 1.0, (WordSpan("票", 0.0, 0.2), WordSpan("价", 0.2, 0.4), WordSpan("60", 0.4, 0.9))),
    Line("A <b> & -->\n bold", 3661.5, 3663.0, (WordSpan("missing", 3661.6, 3661.7), WordSpan("bold", 3662.0, 3663.0))),
]


def test_webvtt_has_the_words_times_and_nothing_that_would_be_markup() -> None:
    assert webvtt(LINES) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.000\n票<00:00:00.200>价<00:00:00.400>60元。\n\n"
        "01:01:01.500 --> 01:01:03.000\nA &lt;b&gt; &amp; → <01:01:02.000>bold\n"
    )


def test_srt_is_numbered() -> None:
    assert srt(LINES) == (
        "1\n00:00:00,000 --> 00:00:01,000\n票价60元。\n\n2\n01:01:01,500 --> 01:01:03,000\nA <b> & → bold\n"
    )


def test_words_move_with_their_sentence() -> None:
    assert shifted([WordSpan("a", 0.5, 1.0)], 2) == (WordSpan("a", 2.5, 3.0),)
