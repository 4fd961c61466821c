"""Binary frames of the protocol's versions: 1 is the bare Opus packet, 2 and 3 put a header before it. No I/O."""

import struct

VERSIONS = (1, 2, 3)
_SECOND = struct.Struct(">HHIII")
"""Version (2), type, reserved, milliseconds, bytes of payload."""
_THIRD = struct.Struct(">BBH")
"""Type, reserved, bytes of payload."""
_OPUS, _JSON = 0, 1
LONGEST = 4096
"""Bytes of a payload: 60 ms of speech take some 200."""


def wrap(version: int, packet: bytes, milliseconds: int) -> bytes:
    """`milliseconds`: where the packet belongs on the clock of what is sent."""
    match version:
        case 2:
            return _SECOND.pack(2, _OPUS, 0, milliseconds % 2**32, len(packet)) + packet
        case 3:
            return _THIRD.pack(_OPUS, 0, len(packet)) + packet
    return packet


def unwrap(version: int, frame: bytes) -> bytes | str:
    """An Opus packet, or JSON. A device's clock is not believed: sound is taken as it comes. Raises ValueError."""
    kind, size, payload = _OPUS, len(frame), frame
    try:
        match version:
            case 2:
                told, kind, _, _, size = _SECOND.unpack_from(frame)
                payload = frame[_SECOND.size :]
                if told != 2:
                    raise ValueError(f"its header says version {told}")
            case 3:
                kind, _, size = _THIRD.unpack_from(frame)
                payload = frame[_THIRD.size :]
    except struct.error as error:
        raise ValueError("shorter than its header") from error
    if size != len(payload):
        raise ValueError(f"{len(payload)} bytes where its header says {size}")
    if not 0 < size <= LONGEST:
        raise ValueError(f"{size} bytes of payload; 1 to {LONGEST} are taken")
    if kind == _JSON:
        return payload.decode("utf-8")
    if kind != _OPUS:
        raise ValueError(f"no payload of type {kind}")
    return payload
