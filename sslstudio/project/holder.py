"""What this process is, for others who find a project in its hands."""

from __future__ import annotations

_is = ""


def introduce(what: str) -> None:
    """Say once, at the start, what this process is: “window”, or a command such as “import-masks”."""
    global _is
    _is = what


def introduced() -> str:
    """What was said; empty for scripts and tests that said nothing."""
    return _is
