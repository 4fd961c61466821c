"""The harness's load client with an adapter for zhubo.v1: `zhubo_client.py HARNESS zhubo URL …`.

The client is a script that runs on import; the adapter is added to its table before it does.
"""

import json
import sys
from pathlib import Path

HARNESS = Path(sys.argv.pop(1))
SOURCE = (HARNESS / "bench.py").read_text("utf-8")
START = "uvloop.run(main())"


def adapted(namespace: dict[str, object]) -> type:
    """zhubo.v1 as the client wants it: hello, say, stop, and what kind of frame came."""
    text = namespace["WSMsgType"].TEXT  # type: ignore[attr-defined]  # picows' enumeration
    binary = namespace["WSMsgType"].BINARY  # type: ignore[attr-defined]
    kinds = {"welcome": "ready", "text": "text", "turn_ended": "done"}

    class Zhubo:
        ready = "ready"

        def hello(self) -> list[tuple[int, bytes]]:
            return [(text, b'{"type":"hello","protocol":"zhubo.v1"}')]

        def say(self, words: str) -> list[tuple[int, bytes]]:
            return [(text, json.dumps({"type": "say", "text": words}, ensure_ascii=False).encode())]

        def stop(self) -> list[tuple[int, bytes]]:
            return [(text, b'{"type":"interrupt"}')]

        def kind(self, frame: int, payload: bytes) -> str | None:
            return "audio" if frame == binary else kinds.get(json.loads(payload)["type"])

    return Zhubo


def main() -> None:
    head, start, _ = SOURCE.rpartition(START)
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(compile(head, "bench.py", "exec"), namespace)
    namespace["AD"]["zhubo"] = adapted(namespace)  # type: ignore[index]  # the client's table of adapters
    exec(compile(start, "bench.py", "exec"), namespace)


main()
