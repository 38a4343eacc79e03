"""Masks of an image of 30,000 x 30,000 pixels in and out in many formats; prints what it took. Run as a program."""

from __future__ import annotations

import json
import resource
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from sslstudio.annotations.bringing_in import bring_in, preview
from sslstudio.annotations.handing_out import export_masks
from sslstudio.annotations.measuring import measure
from sslstudio.project.project import Project

SIDE, TILE, TISSUES = 30_000, 512, 7


def write_slide(file: Path) -> None:
    """A slope in every tile, compressed once and written often."""
    rows, columns = np.mgrid[:TILE, :TILE]
    tile = zlib.compress(np.stack([rows // 2, columns // 2, 255 - rows // 2], axis=2).astype(np.uint8).tobytes(), 1)
    about: dict[str, Any] = {"tile": (TILE, TILE), "compression": "zlib", "photometric": "rgb"}
    tiles = (tile for _ in range((-(-SIDE // TILE)) ** 2))
    tifffile.imwrite(file, tiles, shape=(SIDE, SIDE, 3), dtype=np.uint8, bigtiff=True, **about)


def write_annotations(file: Path, cells: int) -> None:
    """What a pathologist and a program leave behind: tissue with ragged borders and holes, and many cells."""
    rng = np.random.default_rng(0)
    rows = []
    for x, y in rng.uniform(3000, SIDE - 3000, (TISSUES, 2)):
        rings = [_ring(rng, x, y, rng.uniform(2000, 5000), 3000)]
        rings += [_ring(rng, *(np.array([x, y]) + rng.uniform(-1200, 1200, 2)), 60, 40) for _ in range(40)]
        rows.append(_feature("tissue", rings))
    rows += [_feature("cell", [_ring(rng, *rng.uniform(0, SIDE, 2), 11, 24)]) for _ in range(cells)]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))


def _ring(rng: np.random.Generator, x: float, y: float, radius: float, corners: int) -> list[list[float]]:
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    far = radius * rng.uniform(0.9, 1.1, corners)
    ring = np.round(np.stack([x + far * np.cos(angles), y + far * np.sin(angles)], axis=1), 1).tolist()
    return [*ring, ring[0]]


def _feature(name: str, rings: list[list[list[float]]]) -> dict[str, Any]:
    about = {"objectType": "annotation", "classification": {"name": name}}
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": rings}, "properties": about}


def _peak() -> float:
    """MB since the last time, where the system tells; of all the program's life otherwise."""
    try:
        status = Path("/proc/self/status").read_text()
        Path("/proc/self/clear_refs").write_text("5")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Steps:
    """Seconds and MB of each step."""

    def __init__(self) -> None:
        self.took: dict[str, tuple[float, float]] = {}

    def take(self, name: str, work: Callable[[], Any]) -> Any:
        """Do something, and note what it took."""
        _peak()
        begun = time.perf_counter()
        result = work()
        self.took[name] = round(time.perf_counter() - begun, 1), round(_peak())
        print(name, *self.took[name], file=sys.stderr, flush=True)
        return result


def main(folder: Path, cells: int, kinds: list[str]) -> None:
    """All of it."""
    slides, steps = folder / "slides", Steps()
    slides.mkdir()
    write_slide(slides / "slide.tif")
    write_annotations(folder / "slide.geojson", cells)
    same = True
    with Project.create(folder / "p", slides) as project:
        seen = steps.take("preview", lambda: preview(project, folder / "slide.geojson"))
        assert seen.picture is not None
        done = steps.take("qupath in", lambda: bring_in(project, folder / "slide.geojson"))
        assert done.matched == ("slide.tif",)
        labels = project.label_map("slide.tif").labels
        measured = steps.take("measure", lambda: measure(project, folder / "areas.csv"))
        for kind in kinds:
            pictures = ("coloured", "overlay") if kind == kinds[0] else ()
            steps.take(f"{kind} out", lambda: export_masks(project, kind, folder / kind, companions=pictures))  # noqa: B023
        for kind in kinds:
            with Project.create(folder / f"{kind}_again", slides, [one.name for one in project.classes]) as again:
                steps.take(f"{kind} in again", lambda: bring_in(again, folder / kind, kind))  # noqa: B023
                found = again.label_map("slide.tif").labels
                same = same and all(found.cell(place) == labels.cell(place) for place in labels.places())
    peak = max(memory for _, memory in steps.took.values())
    print(json.dumps({"peak_mb": peak, "same": same, "regions": measured.regions, "steps": steps.took}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
