"""Where projects and their images lie: default place, and an image folder that moved."""

from __future__ import annotations

import json
import os
from pathlib import Path

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.project.database import FILE, Database

SUFFIX = ".sslproj"
_RELATIVE, _ABSOLUTE = "images_relative", "images_absolute"


class ImagesMoved(UserError):
    """The image folder is not where it was; ``old`` is where it was last."""

    def __init__(self, project: Path, old: Path) -> None:
        known = old.name != ""  # not after a repair that could not read it any more
        super().__init__(
            tr("The images of {name} are not in {old} any more.").format(name=project.name, old=old)
            if known
            else tr("Where the images of {name} are is not known any more.").format(name=project.name),
            tr("Choose the folder where they are now; masks and models are safe in the project."),
        )
        self.project = project
        self.old = old


def is_project(path: Path) -> bool:
    """Whether ``path`` is a project folder."""
    return (Path(path) / FILE).is_file()


def holds_project(path: Path) -> bool:
    """Whether ``path`` is a project folder, or the rest of one whose database can come back from a backup."""
    return is_project(path) or (Path(path) / "backups").is_dir()


def with_suffix(path: Path) -> Path:
    """The project folder for a name given with or without ``.sslproj``."""
    path = Path(path).expanduser().absolute()
    return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)


def meant(path: Path) -> Path:
    """The project folder that a name means, with or without ``.sslproj``; an image folder of that name is not meant."""
    path, named = Path(path).expanduser().absolute(), with_suffix(path)
    return named if not is_project(path) and is_project(named) else path


def default_project_path(images: Path) -> Path:
    """Where a project for ``images`` goes: beside the folder, or into "SSL Studio" at home.

    The path may hold this folder's project already; then that one is meant.
    """
    images = Path(images).expanduser().absolute()
    name = images.name or "images"
    if os.access(images.parent, os.W_OK) and images.name:
        return images.parent / f"{name}{SUFFIX}"
    home = Path.home() / "SSL Studio"
    for number in range(1, 1000):
        path = home / (f"{name}{SUFFIX}" if number == 1 else f"{name} {number}{SUFFIX}")
        if not path.exists() or _images_of(path) == images:
            return path
    return home / f"{name}-{os.getpid()}{SUFFIX}"


def _images_of(project: Path) -> Path | None:
    try:
        database = Database(project, read_only=True)
    except UserError:
        return None
    try:
        return find_images(database, project)
    except UserError:
        return None
    finally:
        database.close()


def store_images(database: Database, project: Path, images: Path) -> None:
    """Remember the image folder, both from the project and from the root of the disk."""
    try:
        relative = Path(os.path.relpath(images, project)).as_posix()
    except ValueError:
        relative = ""  # another drive
    for key, value in ((_RELATIVE, relative), (_ABSOLUTE, str(images))):
        database.write("INSERT OR REPLACE INTO setting VALUES (?,?)", f"_{key}", json.dumps(value))


def find_images(database: Database, project: Path) -> Path:
    """The image folder: seen from the project first, then where it was; raises ImagesMoved."""
    stored = dict(database.rows("SELECT key, value FROM setting WHERE key LIKE '\\_images%' ESCAPE '\\'"))
    relative = json.loads(stored.get(f"_{_RELATIVE}", '""'))
    absolute = Path(json.loads(stored.get(f"_{_ABSOLUTE}", '""')))
    if relative and (project / relative).is_dir():
        return Path(os.path.normpath(project / relative))
    if stored and absolute.is_dir():
        return absolute
    beside = project.with_suffix("")  # where a project is made unless told otherwise
    if not stored and beside.is_dir():
        return beside
    raise ImagesMoved(project, absolute)


def existing(path: Path) -> Path:
    """The project folder meant by ``path``; raises UserError when there is none."""
    path = meant(path)
    if not path.exists():
        raise UserError(
            tr("There is no project at {path}.").format(path=path),
            tr("Check the path, or make a new project from a folder."),
        )
    if not holds_project(path):
        raise UserError(
            tr("{path} is not a project.").format(path=path), tr("Choose a folder whose name ends in .sslproj.")
        )
    return path
