"""One model server asked over HTTP from a worker thread: JSON in, JSON out, with patience and a limit to it."""

import time
from typing import Any

import httpx
import orjson
from pydantic import Field, SecretStr

from configs import engines


class EndpointError(RuntimeError):
    """No usable answer; the message names the status and never quotes what was sent or received."""


class Options(engines.Options):
    """`base_url`: up to `/embeddings` or `/rerank`. `timeout`: seconds of silence. `attempts`: for one request, where
    the server cannot be reached, is overloaded or fails; it is given at most `longest_wait` seconds between two.
    """

    base_url: str = Field(pattern=r"^https?://[^\s/]+")
    api_key: SecretStr | None = None
    model: str = Field(min_length=1)
    timeout: float = Field(default=10.0, gt=0)
    attempts: int = Field(default=3, ge=1)
    longest_wait: float = Field(default=5.0, ge=0)


class Endpoint:
    def __init__(self, options: Options) -> None:
        self._options = options
        headers = {"Content-Type": "application/json"}
        if options.api_key is not None:
            headers["Authorization"] = f"Bearer {options.api_key.get_secret_value()}"
        self._client = httpx.Client(headers=headers, timeout=options.timeout, trust_env=False)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer to a request, made again where that may help. Raises EndpointError."""
        url, content = self._options.base_url.rstrip("/") + path, orjson.dumps(body)
        wait = 0.0
        for attempt in range(self._options.attempts):
            time.sleep(min(wait, self._options.longest_wait))
            wait = 0.25 * 2**attempt
            try:
                response = self._client.post(url, content=content)
            except httpx.HTTPError as error:
                failure = EndpointError(f"the model server cannot be reached: {type(error).__name__}")
                failure.__cause__ = error
                continue
            if response.status_code == 200:
                return _read(response)
            failure = EndpointError(f"the model server answered {response.status_code} ({_kind(response)})")
            if response.status_code not in (408, 429) and response.status_code < 500:
                break
            wait = _asked_for(response, wait)
        raise failure

    def close(self) -> None:
        self._client.close()


def _read(response: httpx.Response) -> Any:
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise EndpointError("the model server sent an answer that is not JSON") from error


def _kind(response: httpx.Response) -> str:
    try:
        return str(orjson.loads(response.content)["error"]["type"])[:80]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return "no reason given"


def _asked_for(response: httpx.Response, otherwise: float) -> float:
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return otherwise
