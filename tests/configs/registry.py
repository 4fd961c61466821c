"""A package index, an npm registry and a model hub on loopback, for the machine's own pip and npm to ask."""

import base64
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def wheel(name: str, version: str, members: Mapping[str, bytes]) -> bytes:
    info = f"{name}-{version}.dist-info"
    about = {
        f"{info}/METADATA": _metadata(name, version),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in {**members, **about}.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def _tarred(members: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
            else:
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _metadata(name: str, version: str) -> bytes:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()


@dataclass(slots=True)
class Registry:
    """`files` by URL path; `requests` are those seen, as (path, Range header)."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    cut: Counter[str] = field(default_factory=Counter)
    """How many more answers for a path break off half-way."""
    refuse: Counter[str] = field(default_factory=Counter)
    """How many more answers for a path are 503."""
    ranges: bool = True

    def put_wheel(self, name: str, version: str, members: Mapping[str, bytes]) -> str:
        content = wheel(name, version, members)
        path = f"/files/{name}-{version}-py3-none-any.whl"
        self.files[path], self.files[path + ".metadata"] = content, _metadata(name, version)
        link = f'<a href="{path}#sha256={_sha256(content)}" data-dist-info-metadata="true">{Path(path).name}</a>'
        self.files[f"/simple/{name.replace('_', '-')}/"] = f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
        return path

    def put_source(self, name: str, version: str, script: str) -> None:
        """A source distribution that runs `script` when it is built, or asked for its metadata."""
        path = f"/files/{name}-{version}.tar.gz"
        project = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        members = {"pyproject.toml": project, "backend.py": script.encode(), "PKG-INFO": _metadata(name, version)}
        self.files[path] = _tarred({f"{name}-{version}/{member}": content for member, content in members.items()})
        self.files[f"/simple/{name}/"] = f'<!DOCTYPE html><a href="{path}">{Path(path).name}</a>'.encode()

    def put_tarball(self, name: str, version: str, members: Mapping[str, bytes | tarfile.TarInfo]) -> str:
        content = _tarred(members)
        path = f"/{name}/-/{name}-{version}.tgz"
        self.files[path] = content
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
        release = {"name": name, "version": version, "dist": {"tarball": self.url + path, "integrity": integrity}}
        page = {"name": name, "dist-tags": {"latest": version}, "versions": {version: release}}
        self.files[f"/{name}"] = json.dumps(page).encode()
        return path

    def asked(self, path: str) -> list[str | None]:
        """The Range header of each request for a path."""
        return [span for requested, span in self.requests if requested == path]


@contextmanager
def serving() -> Iterator[Registry]:
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            span = self.headers.get("Range")
            registry.requests.append((self.path, span))
            content = registry.files.get(self.path)
            if content is None:
                return self.answer(404, b"")
            if registry.refuse[self.path] > 0:
                registry.refuse[self.path] -= 1
                return self.answer(503, b"")
            if span is None or not registry.ranges:
                return self.answer(200, content)
            start = int(span.removeprefix("bytes=").removesuffix("-"))
            return self.answer(206, content[start:]) if start < len(content) else self.answer(416, b"")

        def answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            kind = "application/json" if content.startswith(b"{") else "text/html"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if registry.cut[self.path] > 0 and status < 300:
                registry.cut[self.path] -= 1
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True
            else:
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
