"""A loopback server with the OpenAI embeddings endpoint and the rerank endpoint, and with faults on demand."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from configs.home import current
from knowledge.engines.hashing import Hashing

Answer = tuple[int, dict[str, str], bytes]
FAULTS: dict[str, Answer] = {
    "401": (401, {}, b'{"error": {"type": "invalid_request_error", "message": "bad key: s3cret"}}'),
    "429": (429, {"Retry-After": "0"}, b"{}"),
    "500": (500, {"Retry-After": "0"}, b"oops"),
    "garbage": (200, {}, b"\x00\xff<html>"),
    "another shape": (200, {}, b'{"data": {"a": 1}, "results": [1]}'),
    "null": (200, {}, b"null"),
}


class ModelServer:
    """`faults`: what the next requests get instead of an answer; the last one stays when `lasting`. `spoil`: changes
    an answer before it is sent. `silent`: says nothing until the server ends.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.faults: list[str] = []
        self.lasting: str | None = None
        self.silent = False
        self.backwards = False
        self.spoil: Any = lambda answer: answer
        self.over = threading.Event()
        self.url = ""

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        fault = self.faults.pop(0) if self.faults else self.lasting
        if fault is not None:
            return FAULTS[fault]
        made = self._embeddings(body) if path == "/v1/embeddings" else self._ranking(body)
        return 200, {}, json.dumps(self.spoil(made)).encode()

    def _embeddings(self, body: dict[str, Any]) -> dict[str, Any]:
        embedder = Hashing(Hashing.Options(dimension=body.get("dimensions", 64)), current())
        rows = 3 * embedder.embed(body["input"], "passage")
        data = [{"object": "embedding", "index": i, "embedding": row.tolist()} for i, row in enumerate(rows)]
        if body["encoding_format"] == "base64":
            for item, row in zip(data, rows, strict=True):
                item["embedding"] = base64.b64encode(row.astype("<f4").tobytes()).decode()
        return {"object": "list", "model": body["model"], "data": data[::-1] if self.backwards else data}

    def _ranking(self, body: dict[str, Any]) -> dict[str, Any]:
        embedder = Hashing(Hashing.Options(dimension=256), current())
        texts = embedder.embed(body["documents"], "passage")
        scores = texts @ embedder.embed([body["query"]], "question")[0]
        results = [{"index": int(i), "relevance_score": float(scores[i])} for i in np.argsort(-scores)]
        return {"model": body["model"], "results": results}


@contextmanager
def model_server() -> Iterator[ModelServer]:
    served = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.asked.append((self.path, dict(self.headers), body))
            if served.silent:
                served.over.wait()
                self.close_connection = True
                return
            status, headers, content = served.answer(self.path, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        served.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            served.over.set()
            server.shutdown()
            thread.join()
