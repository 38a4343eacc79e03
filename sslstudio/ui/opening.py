"""From a path that someone chose or dropped to an open project, in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.ui import background, state

if TYPE_CHECKING:
    from sslstudio.project.index import ImageRecord
    from sslstudio.project.project import Project

log = logging.getLogger(__name__)

SAMPLE_CLASSES = ("background", "round cell", "spindle cell")
SAMPLE_COUNT = 60  # made in a few seconds

Done = Callable[["Opened"], None]
Failed = Callable[[UserError], None]


@dataclass(frozen=True)
class Opened:
    """An open project and its images."""

    project: Project
    records: tuple[ImageRecord, ...]


def open_path(path: Path, done: Done, failed: Failed) -> background.Task:
    """Open a project folder, or the project that belongs to a folder of images (made if there is none).

    One that cannot be written to, or that is damaged beyond repair, is opened for reading; not one that somebody
    else has open, whom the user might ask first.
    """
    return background.run(lambda task: _open(Path(path).expanduser().absolute()), done, failed)


def open_reading(path: Path, why: UserError, done: Done, failed: Failed) -> background.Task:
    """Open, for reading, the project that ``path`` means and that somebody else has open."""

    def work(task: background.Task) -> Opened:
        from sslstudio.project.project import Project

        return _opened(Project.look(project_of(path), why))

    return background.run(work, done, failed)


def open_moved(project: Path, images: Path, done: Done, failed: Failed) -> background.Task:
    """Open a project whose images are elsewhere now."""

    def work(task: background.Task) -> Opened:
        from sslstudio.project.project import Project

        return _opened(Project.relocate(project, images))

    return background.run(work, done, failed)


def open_sample(done: Done, failed: Failed, progressed: Callable[[tuple[int, int]], None]) -> background.Task:
    """Write the sample images (once) and open their project."""

    def work(task: background.Task) -> Opened:
        from sslstudio.images.sample import write_sample
        from sslstudio.project.places import is_project
        from sslstudio.project.project import Project

        folder = state.folder() / "sample"
        sample = write_sample(folder, SAMPLE_COUNT, progress=lambda *figures: task.report(figures))
        place = folder / "Sample cells.sslproj"
        if is_project(place):
            return _opened(Project.open(place))
        project = Project.create(place, sample.images, SAMPLE_CLASSES)
        project.set_setting("preset", "microscopy")
        return _opened(project)

    return background.run(work, done, failed, progressed=progressed)


def _open(path: Path) -> Opened:
    from sslstudio.project.classes import first_classes
    from sslstudio.project.places import is_project
    from sslstudio.project.project import Project

    if not path.exists():
        raise UserError(
            tr("There is no {path}.").format(path=path),
            tr("It may have been moved or renamed. Choose where it is now."),
        )
    if path.is_file():
        path = path.parent
    place = project_of(path)
    if place != path and not is_project(place):
        return _opened(Project.create(place, path, first_classes()))
    return _opened(_open_project(place))


def place_of(path: Path) -> Path:
    """Where the project lies, or will, that a chosen path means, which may be a file, or of the home folder."""
    path = Path(path).expanduser().absolute()
    return project_of(path.parent if path.is_file() else path)


def give_up(opened: Opened) -> None:
    """Close what nobody wants any more, so that others can open it."""
    try:
        opened.project.close()
    except UserError as error:  # what is in the edit log becomes a mask next time
        log.warning("On closing: %s", error)


def project_of(path: Path) -> Path:
    """The project that a chosen path means: itself, or the one that belongs to a folder of images."""
    from sslstudio.project.places import SUFFIX, default_project_path, is_project

    return path if path.suffix == SUFFIX or is_project(path) else default_project_path(path)


def _open_project(path: Path) -> Project:
    from sslstudio.project.lock import ProjectTaken
    from sslstudio.project.places import ImagesMoved
    from sslstudio.project.project import Project

    try:
        return Project.open(path)
    except (ProjectTaken, ImagesMoved):
        raise
    except UserError as error:
        try:
            return Project.look(path, error)
        except UserError:
            raise error from None  # what kept it from being opened at all is what the user can mend


def _opened(project: Project) -> Opened:
    from sslstudio.project import recent

    try:
        records = tuple(project.images())
    except BaseException:
        project.close()
        raise
    recent.remember(project.path)
    return Opened(project, records)
