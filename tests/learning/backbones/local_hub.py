"""A small Hugging Face hub on this machine: real files over real HTTP, with ranges, slow or broken on demand."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class LocalHub:
    """``files`` maps “repo/file” to bytes; ``asked`` collects (method, path, range)."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.refuse = 0  # answer everything with this code
        self.break_after = 0  # drop the connection after that many bytes, once per request
        self.ignore_ranges = False
        self.url = ""

    def gets(self) -> list[str]:
        """The ranges of the downloads so far; empty for a whole file."""
        return [part for method, _, part in self.asked if method == "GET"]


@contextmanager
def serve() -> Iterator[LocalHub]:
    """Run a hub until the block ends."""
    hub = LocalHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: LocalHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def _found(self) -> bytes | None:
            hub.asked.append((self.command, self.path, self.headers.get("Range", "")))
            if hub.refuse:
                self.send_error(hub.refuse)
                return None
            repo, _, file = self.path.strip("/").partition("/resolve/main/")
            content = hub.files.get(f"{repo}/{file}")
            if content is None:
                self.send_error(404)
            return content

        def _begin(self, code: int, content: bytes, length: int) -> None:
            digest = hashlib.sha256(content).hexdigest()
            self.send_response(code)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("X-Linked-Etag", f'"{digest}"')
            self.send_header("X-Linked-Size", str(len(content)))
            self.send_header("ETag", f'"{digest}"')
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def do_HEAD(self) -> None:
            content = self._found()
            if content is not None:
                self._begin(200, content, len(content))

        def do_GET(self) -> None:
            content = self._found()
            if content is None:
                return
            first = 0
            if self.headers.get("Range") and not hub.ignore_ranges:
                first = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            rest = content[first:]
            self._begin(206 if first else 200, content, len(rest))
            self.wfile.write(rest[: hub.break_after] if hub.break_after else rest)
            if hub.break_after and hub.break_after < len(rest):
                self.close_connection = True

    return Handler
