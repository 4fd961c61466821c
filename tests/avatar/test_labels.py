"""The AIGC label in every format that is written: read back, the file's own content kept, hostile files told."""

import io
import json
import shutil
import subprocess
import wave
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from avatar import notice
from avatar.labels import FORMATS, Format, Label, LabelError, Producer, label_of, labelled, read_header, read_json
from avatar.sound_labels import wav
from avatar.speech import Audio
from configs.labels import LabelSettings

OURS = Producer("海港科学馆 <Harbour & Co> -->", b"secret")
LABEL = OURS.label("c0a8-1")


def _png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(file, "PNG")
    return file.getvalue()


FILES: dict[Format, bytes] = {
    "wav": wav(Audio(bytes(range(100)) * 2, 24000)),
    "png": _png(),
    "markdown": "# 对话\n\n您好。\n---\nhello\n".encode(),
    "json": '{"turns": ["您好", "hello"], "n": 12345678901234567890}'.encode(),
    "jsonl": '{"text": "您好"}\n{"text": "hello"}\n'.encode(),
    "vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\n您好\n".encode(),
}
PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>image/png</dc:format>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)
ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.mark.parametrize("format", FORMATS)
def test_a_label_is_read_back_and_replaced(format: Format) -> None:
    data = FILES[format]
    assert label_of(data, format) is None
    once = labelled(data, format, LABEL)
    assert label_of(once, format) == LABEL
    other = Producer("另一家").label("2")
    twice = labelled(once, format, other)
    assert label_of(twice, format) == other
    assert LABEL.content.encode() not in twice
    assert labelled(twice, format, LABEL) == once


def test_the_json_is_the_standards() -> None:
    tree = json.loads(LABEL.json())
    assert list(tree) == ["AIGC"]
    assert list(tree["AIGC"]) == [
        "Label",
        "ContentProducer",
        "ProduceID",
        "ReservedCode1",
        "ContentPropagator",
        "PropagateID",
        "ReservedCode2",
    ]
    assert tree["AIGC"]["Label"] == "1" and tree["AIGC"]["ContentProducer"] == OURS.name
    assert LABEL.header.isascii() and not set(LABEL.header) & set(' ",;\r\n{}')


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_name_survives_header_and_files(name: str, content: str) -> None:
    label = Label(name, content)
    assert read_header(label.header) == read_json(label.json()) == label
    for format in FORMATS:
        assert label_of(labelled(FILES[format], format, label), format) == label


def test_the_integrity_code_shows_what_was_changed() -> None:
    assert OURS.made(LABEL)
    assert not OURS.made(Label(LABEL.producer, "another content", LABEL.integrity))
    assert not Producer(OURS.name, b"another key").made(LABEL)
    assert not Producer("another", b"secret").made(LABEL)
    plain = Producer.of(LabelSettings(producer="Zhubo"))
    assert plain.made(plain.label("1")) and plain.label("1").integrity.startswith("sha256:")
    keyed = Producer.of(LabelSettings.model_validate({"producer": "Zhubo", "key": "hush"}))
    assert keyed.label("1").integrity.startswith("hmac-sha256:") and not plain.made(keyed.label("1"))


def test_a_wav_still_plays() -> None:
    with wave.open(io.BytesIO(labelled(FILES["wav"], "wav", LABEL))) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (24000, 1, 100)
        assert sound.readframes(100) == bytes(range(100)) * 2


@ffmpeg
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_the_label_of_a_wav_survives_ffmpeg(tmp_path: Path, suffix: str) -> None:
    source, copy = tmp_path / "a.wav", tmp_path / f"b.{suffix}"
    source.write_bytes(labelled(wav(notice.rhythm(24000)), "wav", LABEL))
    codec = ["-c", "copy"] if suffix == "wav" else []
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(source), *codec, str(copy)], check=True)
    if suffix == "wav":
        assert label_of(copy.read_bytes(), "wav") == LABEL
    probe = ["ffprobe", "-v", "error", "-show_entries", "format_tags:stream_tags", "-of", "json", str(copy)]
    tree = json.loads(subprocess.run(probe, check=True, capture_output=True).stdout)
    tags = tree["format"].get("tags", {}) or next((stream["tags"] for stream in tree["streams"]), {})
    comment = next(value for name, value in tags.items() if name.lower() in ("comment", "description"))
    assert read_json(comment) == LABEL


def test_a_wav_keeps_its_other_comments() -> None:
    marked = labelled(FILES["wav"], "wav", LABEL)
    own = b"ICMT\x06\x00\x00\x00hello\x00INAM\x03\x00\x00\x00ab\x00\x00"
    chunk = b"LIST" + (4 + len(own)).to_bytes(4, "little") + b"INFO" + own
    body = FILES["wav"][8:] + chunk
    both = labelled(b"RIFF" + len(body).to_bytes(4, "little") + body, "wav", LABEL)
    assert label_of(both, "wav") == LABEL and b"hello" in both and b"INAM" in both
    assert len(both) > len(marked)


def test_a_picture_is_unchanged_and_pillow_reads_its_label() -> None:
    marked = labelled(FILES["png"], "png", LABEL)
    with Image.open(io.BytesIO(marked)) as picture:
        picture.load()
        assert picture.getpixel((0, 0)) == (255, 0, 0)
        packet = etree.fromstring(picture.text["XML:com.adobe.xmp"].encode())
    found = packet.find(".//{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC")
    assert found.prefix == "TC260" and read_json(found.text) == LABEL


def test_a_picture_keeps_its_other_xmp() -> None:
    file = io.BytesIO()
    with Image.open(io.BytesIO(_png())) as picture:
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", PACKET, zip=True)
        picture.save(file, "PNG", pnginfo=info)
    marked = labelled(labelled(file.getvalue(), "png", LABEL), "png", LABEL)
    assert label_of(marked, "png") == LABEL and marked.count(b"TC260:AIGC>") == 2 and b"image/png" in marked


def test_front_matter_is_kept_and_read_by_yaml() -> None:
    marked = labelled("---\ntitle: 问答 # ours\nAIGC:\n  Label: '2'\n---\n正文\n".encode(), "markdown", LABEL).decode()
    _, front, body = marked.split("---\n", 2)
    assert yaml.safe_load(front) == {**json.loads(LABEL.json()), "title": "问答"}
    assert "# ours" in front and body == "正文\n"


def test_texts_keep_what_they_held() -> None:
    assert json.loads(labelled(FILES["json"], "json", LABEL))["n"] == 12345678901234567890
    assert labelled(FILES["jsonl"], "jsonl", LABEL).endswith(FILES["jsonl"])
    marked = labelled(FILES["vtt"], "vtt", LABEL).decode()
    assert marked.startswith("WEBVTT\n\nNOTE AIGC {") and marked.endswith("00:00.000 --> 00:01.000\n您好\n")
    assert marked.count("-->") == 1, "a note must not hold an arrow"
    assert FILES["markdown"] in labelled(FILES["markdown"], "markdown", LABEL)


@pytest.mark.parametrize(
    ("format", "data", "told"),
    [
        ("wav", b"", "not a WAV"),
        ("wav", b"RIFF\xff\xff\xff\xffWAVE", "cut short"),
        ("wav", FILES["wav"][:-1], "cut short"),
        ("wav", FILES["png"], "not a WAV"),
        ("png", b"", "not a PNG"),
        ("png", FILES["png"][:-4], "cut short"),
        ("png", FILES["png"][:20], "cut short"),
        ("markdown", b"\xff\xfe", "not UTF-8"),
        ("json", b"[1]", "only a JSON object"),
        ("json", b"{", "not JSON"),
        ("json", b"[" * 100_000, "not JSON"),
        ("vtt", b"1\n00:00:00,000 --> 00:00:01,000\nhello\n", "not a WebVTT"),
    ],
)
def test_what_cannot_be_labelled_is_told(format: Format, data: bytes, told: str) -> None:
    with pytest.raises(LabelError, match=told):
        labelled(data, format, LABEL)


@pytest.mark.parametrize(
    ("format", "data"),
    [
        ("json", b'{"AIGC": [1]}'),
        ("json", b'{"AIGC": {"Label": 1}}'),
        ("jsonl", b'{"AIGC": {}}\n'),
        ("vtt", b"WEBVTT\n\nNOTE AIGC {broken}\n"),
        ("markdown", b"---\nAIGC:\n  - [\n---\n"),
        ("markdown", b"---\nAIGC:\n  Label: 2026-01-01\n---\n"),
        ("wav", labelled(FILES["wav"], "wav", LABEL).replace(b'AIGC":{', b'AIGC":[')),
    ],
)
def test_a_broken_label_is_told(format: Format, data: bytes) -> None:
    with pytest.raises(LabelError):
        label_of(data, format)


@given(st.sampled_from(FORMATS), st.data())
def test_damage_never_gives_another_error(format: Format, data: st.DataObject) -> None:
    whole = bytearray(labelled(FILES[format], format, LABEL))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    for act in (lambda: label_of(damaged, format), lambda: labelled(damaged, format, LABEL)):
        with suppress(LabelError):
            act()


@pytest.mark.parametrize("rate", [8000, 24000, 48000])
def test_the_rhythm_is_short_long_short_short(rate: int) -> None:
    audio = notice.rhythm(rate)
    samples = memoryview(audio.pcm).cast("h")
    window = rate // 50
    loud = [max(map(abs, samples[at : at + window])) > 1000 for at in range(0, len(samples) - window + 1, window)]
    runs = [len(run) for run in "".join("#" if one else " " for one in loud).split()]
    assert len(runs) == 4 and runs[1] >= 2.5 * max(runs[0], runs[2], runs[3])
    assert audio.rate == rate and abs(audio.seconds - 1.68) < 0.01


def test_the_spoken_notice_says_both_words_the_law_wants() -> None:
    for text in (notice.SENTENCE["zh"], notice.CAPTION["zh"]):
        assert ("人工智能" in text or "AI" in text) and ("生成" in text or "合成" in text)
    for text in (notice.SENTENCE["en"], notice.CAPTION["en"]):
        assert "AI" in text and "generated" in text
