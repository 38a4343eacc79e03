"""timm's published weights: found in the Hugging Face cache, or fetched into it with progress, cancel and resume.

huggingface_hub itself throws a partial file away (since 1.13, so that broken locks cannot spoil it), so
half a gigabyte would begin anew after every cancel. The transport is therefore ours; the finished file lies where
huggingface_hub looks for it, and other programs find it there, too.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlparse

import timm
import torch
from huggingface_hub import constants, get_token, try_to_load_from_cache
from huggingface_hub.file_download import repo_folder_name

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.checkpoints import read_nested
from sslstudio.learning.backbones.download import Arrived, Refused, Remote, Spoilt, Unreachable, ask_head, download
from sslstudio.learning.training.control import Control, hold
from sslstudio.runs.events import Event, Phase, Progress

TELL_EVERY = 0.25  # seconds between two events
_REDIRECTS = 5


@dataclass(frozen=True)
class Source:
    """Where weights lie: a repository of the hub with the file names to try, or a plain address."""

    repo: str = ""
    files: tuple[str, ...] = ()
    url: str = ""


def source_of(name: str) -> Source:
    """Where timm says that the weights of a backbone lie; raises UserError where it publishes none."""
    try:
        cfg = timm.models.get_pretrained_cfg(name)
    except RuntimeError:  # an unknown tag
        cfg = None
    if cfg is not None and cfg.hf_hub_id and cfg.custom_load != "hf":
        wanted = cfg.hf_hub_filename or "pytorch_model.bin"
        safe = ["model.safetensors"] if wanted == "pytorch_model.bin" else [f"{wanted.rsplit('.', 1)[0]}.safetensors"]
        return Source(str(cfg.hf_hub_id), tuple(dict.fromkeys([*safe, wanted])))
    if cfg is not None and cfg.url and not cfg.custom_load:
        return Source(url=str(cfg.url))
    others = [n for n in timm.list_pretrained(f"{name.split('.')[0]}.*") if n != name][:3]
    hint = (
        tr("There are some for: {others}.").format(others=", ".join(others))
        if others
        else tr("Start from scratch, or from a file.")
    )
    raise UserError(tr("timm publishes no weights for “{name}”.").format(name=name), hint)


def load_published(name: str) -> dict[str, Any]:
    """The published weights as their authors saved them, fetched first if need be; nothing in the file is run."""
    file = cached(name)
    if file is None:
        for _ in fetch(name):
            pass
        file = cached(name)
    assert file is not None
    return read_nested(file)


def cached(name: str) -> Path | None:
    """The file with the published weights where it has been fetched before."""
    source = source_of(name)
    if source.url:
        file = _plain_file(source)
        return file if file.exists() else None
    repo, revision = _revision(source.repo)
    for name_of_file in source.files:
        found = try_to_load_from_cache(repo, name_of_file, cache_dir=_cache(), revision=revision)
        if isinstance(found, str):
            return Path(found)
    return None


def fetched(name: str, control: Control) -> Iterator[Event]:
    """Fetch the published weights as a phase of a run; nothing happens where they are there already.

    When the control says stop it ends early and keeps what has arrived, and the next run goes on from there.
    """
    if cached(name) is not None:
        return
    yield Phase(text=tr("Looking for the published weights"))
    told, began, first = 0.0, time.monotonic(), -1
    for arrived in fetch(name):
        if first < 0:
            first = arrived.done
            size = tr(" ({total:.0f} MB)").format(total=arrived.total / 1000000.0) if arrived.total else ""
            yield Phase(text=tr("Fetching the published weights{size}").format(size=size))
        now = time.monotonic()
        if now - told >= TELL_EVERY or arrived.done == arrived.total:
            told = now
            yield _progress(arrived, (arrived.done - first) / max(1e-6, now - began))
        yield from hold(control)
        if control.stopped():
            return


def _progress(arrived: Arrived, rate: float) -> Progress:
    """Thousands of bytes as steps; ``rate`` in bytes per second."""
    left = (arrived.total - arrived.done) / rate if arrived.total and rate > 0 else -1.0
    share = arrived.done / arrived.total if arrived.total else 0.0
    return Progress(step=arrived.done // 1000, steps=max(1, arrived.total // 1000), share=share, seconds_left=left)


def fetch(name: str) -> Iterator[Arrived]:
    """Fetch the published weights into the cache and tell how far it is; leaving the loop keeps what has arrived.

    Raises UserError in plain words where the network, the server or a licence stands in the way.
    """
    source = source_of(name)
    if _offline():
        raise _no_network(name, source, tr("the program was told to stay offline (HF_HUB_OFFLINE)"))
    try:
        yield from _fetch_plain(source) if source.url else _fetch_from_hub(source)
    except Unreachable as error:
        raise _no_network(name, source, tr("{host} cannot be reached").format(host=_host(source)), str(error)) from None
    except Refused as error:
        raise _refused(name, source, error) from None
    except Spoilt:
        raise UserError(
            tr("The published weights of “{name}” did not arrive as they were sent.").format(name=name),
            tr("Start the run again."),
        ) from None


def _fetch_plain(source: Source) -> Iterator[Arrived]:
    head = ask_head(source.url)
    yield from download(Remote(source.url, str(head.get("ETag") or "")), _plain_file(source))


def _fetch_from_hub(source: Source) -> Iterator[Arrived]:
    """The first of the files that the repository has, laid down in the hub's own order of folders."""
    repo, revision = _revision(source.repo)
    for number, file in enumerate(source.files):
        try:
            remote, commit = _on_hub(f"{_endpoint()}/{repo}/resolve/{revision}/{file}")
        except Refused as error:
            if error.code == 404 and number + 1 < len(source.files):
                continue
            raise
        folder = _cache() / repo_folder_name(repo_id=repo, repo_type="model")
        blob = folder / "blobs" / re.sub(r"[^\w.-]", "_", remote.identity)
        if not blob.exists():
            yield from download(remote, blob)
        _lay_down(folder, blob, commit, revision, file)
        return


def _on_hub(url: str) -> tuple[Remote, str]:
    """What the hub says about a file, and the commit that it belongs to."""
    token = get_token() or ""
    place = url
    for _ in range(_REDIRECTS):
        head = ask_head(place, token)
        onward = head.get("Location")
        if not onward or head.get("X-Linked-Etag") or urlparse(urljoin(place, onward)).netloc != urlparse(url).netloc:
            break
        place = urljoin(place, onward)  # a repository that was renamed
    identity = (head.get("X-Linked-Etag") or head.get("ETag") or "").removeprefix("W/").strip('"')
    size = int(head.get("X-Linked-Size") or (0 if onward else head.get("Content-Length")) or 0)
    digest = identity if re.fullmatch(r"[0-9a-f]{64}", identity) else ""
    commit = head.get("X-Repo-Commit") or ""
    if not (identity and commit):
        raise Unreachable(tr("the answer is not that of a Hugging Face hub"))
    return Remote(place, identity, size, digest, token), commit


def _lay_down(folder: Path, blob: Path, commit: str, revision: str, file: str) -> None:
    """Name a fetched blob as huggingface_hub does: a snapshot that points to it, and the revision that means it."""
    pointer = folder / "snapshots" / commit / file
    pointer.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        pointer.unlink()
    try:
        pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    except OSError:  # Windows without the right to make links
        blob.replace(pointer)
    reference = folder / "refs" / revision
    reference.parent.mkdir(parents=True, exist_ok=True)
    reference.write_text(commit)


def _cache() -> Path:
    """The hub's cache; the environment is asked at every call, since a test may change it."""
    home = os.environ.get("HF_HOME")
    return Path(os.environ.get("HF_HUB_CACHE") or (Path(home) / "hub" if home else constants.HF_HUB_CACHE))


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON")


def _plain_file(source: Source) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(source.url).path).name


def _revision(repo: str) -> tuple[str, str]:
    name, _, revision = repo.partition("@")
    return name, revision or "main"


def _host(source: Source) -> str:
    return urlparse(source.url or _endpoint()).netloc


def _page(source: Source) -> str:
    return source.url or f"{_endpoint()}/{_revision(source.repo)[0]}"


def _no_network(name: str, source: Source, reason: str, detail: str = "") -> UserError:
    told = f" ({detail[:120]})" if detail else ""
    return UserError(
        tr("The published weights of “{name}” are not on this machine, and {reason}{told}.").format(
            name=name, reason=reason, told=told
        ),
        tr(
            "Connect to the network and start again; what has arrived is kept. Or start from "
            "scratch, or fetch {page} elsewhere and start from that file."
        ).format(page=_page(source)),
    )


def _refused(name: str, source: Source, error: Refused) -> UserError:
    if error.code in (401, 403):
        return UserError(
            tr("The published weights of “{name}” are given to those only who have agreed to their licence.").format(
                name=name
            ),
            tr("Agree at {page}, set HF_TOKEN to your token and start again.").format(page=_page(source)),
        )
    return UserError(
        tr("The published weights of “{name}” are not where timm says they are (code {code}).").format(
            name=name, code=error.code
        ),
        tr("Choose other weights or another backbone, or start from scratch."),
    )
