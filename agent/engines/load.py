"""What a vLLM server's own metrics say about how busy it is. No I/O."""

import re
from dataclasses import dataclass

_GAUGE = re.compile(
    rb"^vllm:(num_requests_waiting|num_requests_running|kv_cache_usage_perc)(?:\{[^}\n]*\})? (\S+)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that wait and that run, over all of its engines; the share of the fullest one's cache in use."""

    waiting: float
    running: float
    cache: float

    @classmethod
    def read(cls, metrics: bytes) -> "Load | None":
        """From the text of `/metrics`; None where it is not vLLM's."""
        found: dict[bytes, list[float]] = {}
        for name, value in _GAUGE.findall(metrics):
            try:
                found.setdefault(name, []).append(float(value))
            except ValueError:
                return None
        if b"num_requests_waiting" not in found:
            return None
        running, cache = found.get(b"num_requests_running", [0.0]), found.get(b"kv_cache_usage_perc", [0.0])
        return cls(sum(found[b"num_requests_waiting"]), sum(running), max(cache))
