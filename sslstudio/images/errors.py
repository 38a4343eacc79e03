"""Why an image file was refused, in words that its owner understands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sslstudio.errors import UserError
from sslstudio.language import later, tr, tr_many

REPLACE = later("Copy the file again from its source, or remove it from the folder.")


class UnreadableImage(UserError):
    """An image file that cannot be used; ``problem`` names the file and the reason."""


def refuse(path: Path, reason: str, advice: str = REPLACE) -> UnreadableImage:
    """The exception for ``path``; ``reason`` goes on after the file's name, without a full stop."""
    return UnreadableImage(f"{path.name} {reason}.", tr(advice))


def cut_off(path: Path) -> UnreadableImage:
    """The exception for a file whose end is missing."""
    return refuse(path, tr("is cut off: the end of the file is missing"))


def damaged(path: Path) -> UnreadableImage:
    """The exception for a file whose content contradicts itself."""
    return refuse(path, tr("is damaged and cannot be decoded"))


def unopened(path: Path, error: OSError) -> UnreadableImage:
    """The exception for a file that the disk does not give."""
    if isinstance(error, PermissionError):
        return refuse(path, tr("may not be read"), tr("Ask its owner for the right to read it."))
    return refuse(
        path,
        tr("could not be opened ({strerror})").format(strerror=error.strerror or error),
        tr("Check the disk or the network drive."),
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn whatever a decoder or the disk raises into UnreadableImage."""
    try:
        yield
    except UnreadableImage:
        raise
    except MemoryError:
        raise refuse(
            path, tr("needs more memory than there is"), tr("Close other programs, or make it smaller.")
        ) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # decoders raise it too, without a number
            raise unopened(path, error) from error
        text = str(error).lower()
        early = "truncated" in text or "not enough" in text or isinstance(error, EOFError)
        raise (cut_off(path) if early else damaged(path)) from error


def wrong_channels(path: Path, has: int, wanted: int) -> UnreadableImage:
    """The refusal of an image with another number of channels than the others."""
    here, there = (tr_many("{count} channel", "{count} channels", count).format(count=count) for count in (has, wanted))
    return refuse(
        path,
        tr("has {here}, but the network is set to {there}").format(here=here, there=there),
        tr("Save it with {there}, remove it from the folder, or change the setting “Channels”.").format(there=there),
    )
