"""What the channels of an image are called, where the file knows it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from sslstudio.images.content import HEAD, kind_of
from sslstudio.images.slices import file_of

_LONGEST = 40  # letters of a name


def channel_names(path: Path, count: int) -> tuple[str, ...]:
    """The names of all ``count`` channels from OME metadata; none where not every channel has one of its own."""
    path = file_of(path)
    try:
        with path.open("rb") as file:
            if kind_of(file.read(HEAD)) != "tiff":
                return ()
        return _of_tiff(path, count)
    except Exception:  # noqa: BLE001 - broken metadata never costs the picture
        return ()


def _of_tiff(path: Path, count: int) -> tuple[str, ...]:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        told = tiff.ome_metadata
    if not told:
        return ()
    pixels = next((node for node in ElementTree.fromstring(told).iter() if node.tag.endswith("}Pixels")), None)
    nodes = [] if pixels is None else [node for node in pixels if node.tag.endswith("}Channel")]
    names = tuple((node.get("Name") or "").strip()[:_LONGEST] for node in nodes)
    return names if len(names) == count and all(names) and len(set(names)) == count else ()
