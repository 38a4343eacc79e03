"""From a path that someone chose or dropped to an open project, in the background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sslstudio.errors import UserError
from sslstudio.ui import background

if TYPE_CHECKING:
    from sslstudio.project.index import ImageRecord
    from sslstudio.project.project import Project

FIRST_CLASSES = ("background", "object")  # so that one can paint at once; names are changed any time


@dataclass(frozen=True)
class Opened:
    """An open project and its images."""

    project: Project
    records: tuple[ImageRecord, ...]
    new: bool


def open_path(path: Path, done: Callable[[Opened], None], failed: Callable[[UserError], None]) -> background.Task:
    """Open a project folder, or the project that belongs to a folder of images (made if there is none)."""
    return background.run(lambda task: _open(Path(path).expanduser()), done, failed)


def open_sample(folder: Path, done: Callable[[Opened], None], failed: Callable[[UserError], None]) -> background.Task:
    """Write the sample images (once) and open their project."""

    def work(task: background.Task) -> Opened:
        images = folder / "images"
        if not images.is_dir():
            from sslstudio.images.sample import write_sample

            write_sample(images)
        return _open(images)

    return background.run(work, done, failed)


def sample_folder() -> Path:
    """Where the sample project is kept; ``SSLSTUDIO_STATE`` overrides it for tests."""
    from sslstudio.ui import state

    return state.folder() / "sample"


def _open(path: Path) -> Opened:
    from sslstudio.project.project import Project

    if not path.exists():
        raise UserError(f"There is no {path}.", "It may have been moved or renamed. Choose where it is now.")
    if path.is_file():
        path = path.parent
    if (path / "project.sqlite").exists() or path.suffix == ".sslproj":
        project, new = Project.open(path), False
    else:
        project, new = _project_of(path)
    try:
        records = tuple(project.images())
        if not records and new:
            raise UserError(
                f"There are no images in “{path.name}”.",
                "Choose a folder with JPEG, PNG or TIFF files; folders inside it count too.",
            )
    except BaseException:
        project.close()
        if new:
            _remove_empty(project.path)
        raise
    from sslstudio.project import recent

    recent.add(project.path)
    return Opened(project, records, new)


def _project_of(images: Path) -> tuple[Project, bool]:
    """The project of a folder of images: beside it, or in one's own folder where that may not be written to."""
    from sslstudio.project.project import Project

    images = images.resolve()
    places = [images.parent / f"{images.name}.sslproj", Path.home() / "SSL Studio" / f"{images.name}.sslproj"]
    for place in places:
        if (place / "project.sqlite").exists():
            project = Project.open(place)
            if Path(project.images_root).resolve() == images:
                return project, False
            project.close()
    refused: UserError | None = None
    for place in places:
        free = _free(place)
        try:
            free.parent.mkdir(parents=True, exist_ok=True)
            return Project.create(free, images, FIRST_CLASSES), True
        except UserError as error:
            refused = refused or error
        except OSError as error:
            refused = refused or UserError(
                f"A project could not be made beside “{images.name}”: {error.strerror}.",
                "Make room on the disk, or copy the images to a folder that you may write to.",
            )
    assert refused is not None
    raise refused


def _free(place: Path) -> Path:
    number = 2
    free = place
    while free.exists():
        free = place.with_name(f"{place.stem}-{number}.sslproj")
        number += 1
    return free


def _remove_empty(project: Path) -> None:
    """Take away the folder of a project that was made a moment ago for a folder without images."""
    import shutil

    shutil.rmtree(project, ignore_errors=True)
