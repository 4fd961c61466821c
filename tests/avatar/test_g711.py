"""G.711 against the values that the recommendation tabulates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar import g711

MU = {0x80: 32124, 0x00: -32124, 0xFF: 0, 0x7F: 0, 0xFE: 8, 0x7E: -8, 0xF0: 120, 0xEF: 132, 0x8F: 16764, 0x90: 15996}
A = {0xD5: 8, 0x55: -8, 0xAA: 32256, 0x2A: -32256, 0xD4: 24, 0xC5: 264, 0x80: 5504, 0xA5: 16896}


@pytest.mark.parametrize("law,values", [("mu", MU), ("a", A)])
def test_known_values(law: g711.Law, values: dict[int, int]) -> None:
    told = np.frombuffer(g711.decoded(bytes(values), law), "<i2")
    assert dict(zip(values, told.tolist(), strict=True)) == values


@pytest.mark.parametrize("law", ["mu", "a"])
def test_every_code_comes_back(law: g711.Law) -> None:
    codes = bytes(code for code in range(256) if (law, code) != ("mu", 0x7F))  # the second zero
    assert g711.encoded(g711.decoded(codes, law), law) == codes


@given(st.integers(-32768, 32767))
def test_the_error_is_that_of_a_step(sample: int) -> None:
    pcm = sample.to_bytes(2, "little", signed=True)
    for law in ("mu", "a"):
        back = int.from_bytes(g711.decoded(g711.encoded(pcm, law), law), "little", signed=True)
        assert abs(back - sample) <= max(16, abs(sample) / 16) + 4


def test_silence_is_silence() -> None:
    assert g711.encoded(b"\0\0", "mu") == b"\xff"
    assert g711.encoded(b"\0\0", "a") == b"\xd5"
