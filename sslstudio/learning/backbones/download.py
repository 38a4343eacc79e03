"""One file over HTTP: told as it grows, left whenever wanted, gone on with where it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

CHUNK = 1 << 18  # bytes between two looks at whether to go on
PATIENCE = 20.0  # seconds without a byte before a connection counts as lost
TRIES = 4  # connections in a row that may be lost without a byte


class Unreachable(Exception):
    """The server cannot be reached, or stopped sending."""


class Refused(Exception):
    """The server answers, but not with the file; ``code`` is HTTP's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the server answers with code {code}")
        self.code = code


class Spoilt(Exception):
    """What arrived is not what was announced; the partial file is gone."""


@dataclass(frozen=True)
class Remote:
    """A file on a server: ``identity`` changes when its content does, ``size`` is 0 where it is not told.

    ``digest`` is the SHA-256 of the content where the server tells it. ``token`` goes to the first server only.
    """

    url: str
    identity: str = ""
    size: int = 0
    digest: str = ""
    token: str = ""


@dataclass(frozen=True)
class Arrived:
    """How much of a file is there; ``total`` is 0 while not known."""

    done: int
    total: int


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Takes a redirect as the answer, since its headers tell what is wanted."""

    def redirect_request(self, *_: Any) -> None:
        """No request follows."""


def ask_head(url: str, token: str = "") -> Message:
    """The headers of a file, without following a redirect; raises Unreachable or Refused."""
    request = _request(url, token, method="HEAD")
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=PATIENCE) as answer:
            return answer.headers
    except urllib.error.HTTPError as error:
        if 300 <= error.code < 400:
            return error.headers
        raise Refused(error.code) from None
    except (OSError, HTTPException) as error:
        raise Unreachable(str(error)) from None


def _request(url: str, token: str, method: str = "GET") -> urllib.request.Request:
    # Compressed on the way, a file would have another length than the one to go on from.
    request = urllib.request.Request(url, headers={"User-Agent": "sslstudio", "Accept-Encoding": "identity"})
    request.method = method
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def download(remote: Remote, target: Path) -> Iterator[Arrived]:
    """Fetch ``remote`` into ``target`` and tell how far it is; the target appears when it is whole.

    Leaving the loop keeps what has arrived in ``<target>.part``, and the next call goes on from there. Raises
    Unreachable, Refused, Spoilt, and OSError where the disk refuses.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    lock = FileLock(target.with_name(f"{target.name}.lock"))
    while True:
        try:
            lock.acquire(timeout=0.5)
            break
        except Timeout:  # another run fetches the same file
            yield Arrived(_size(part), remote.size)
    try:
        if not target.exists():
            yield from _whole(remote, part, target)
    finally:
        lock.release()
    yield Arrived(_size(target), _size(target))


def _whole(remote: Remote, part: Path, target: Path) -> Iterator[Arrived]:
    """As many connections as it takes."""
    _drop_other(part, remote)
    failures = 0
    while True:
        before = _size(part)
        if remote.size and before == remote.size:
            break
        try:
            yield from _go_on(remote, part)
            break
        except Unreachable:
            failures = 1 if _size(part) > before else failures + 1
            if failures >= TRIES:
                raise
            _rest(failures)
    _finish(remote, part, target)


def _rest(failures: int) -> None:
    """Wait a little longer after each loss; a server that restarts is back soon."""
    threading.Event().wait(min(2.0, 0.2 * 2**failures))


def _go_on(remote: Remote, part: Path) -> Iterator[Arrived]:
    """One connection: append to the partial file until its end."""
    have = _size(part)
    request = _request(remote.url, remote.token)
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # what is there is longer than the file
            part.unlink(missing_ok=True)
            raise Unreachable("the file has changed") from None
        raise (Unreachable(str(error)) if error.code >= 500 else Refused(error.code)) from None
    except (OSError, HTTPException) as error:
        raise Unreachable(str(error)) from None
    with answer:
        if have and answer.status != 206:  # the server sends it from the beginning
            have = 0
        length = int(answer.headers.get("Content-Length") or 0)
        total = remote.size or (have + length if length else 0)
        with part.open("ab" if have else "wb") as out:
            yield Arrived(have, total)
            while chunk := _read(answer):
                out.write(chunk)
                have += len(chunk)
                yield Arrived(have, total)
    if total and have < total:
        raise Unreachable("the connection ended early")


def _read(answer: Any) -> bytes:
    try:
        return answer.read1(CHUNK)
    except (OSError, HTTPException) as error:
        raise Unreachable(str(error)) from None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _drop_other(part: Path, remote: Remote) -> None:
    """Forget a partial file of another content, or of one that cannot be told."""
    note = part.with_name(f"{part.name}.json")
    told = ""
    with contextlib.suppress(OSError, ValueError):
        told = json.loads(note.read_bytes()).get("identity", "")
    if not remote.identity or told != remote.identity:
        part.unlink(missing_ok=True)
    note.write_text(json.dumps({"identity": remote.identity, "url": remote.url}))


def _finish(remote: Remote, part: Path, target: Path) -> None:
    """Check what has arrived and put it in place."""
    wrong = bool(remote.size) and _size(part) != remote.size
    if not wrong and remote.digest:
        with part.open("rb") as file:
            wrong = hashlib.file_digest(file, "sha256").hexdigest() != remote.digest
    part.with_name(f"{part.name}.json").unlink(missing_ok=True)
    if wrong:
        part.unlink(missing_ok=True)
        raise Spoilt(f"{target.name} did not arrive as it was sent")
    part.replace(target)
