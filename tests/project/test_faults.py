"""An error at any system call that saves: a clear sentence, and nothing that was acknowledged is lost."""

import errno
import os
import shutil
import signal
from collections import Counter

import pytest
from forge_client import Forge
from labourer import IMAGES, LATER, SHAPE, Labourer, new_project
from mask_model import Models
from syscalls import available

from sslstudio.project import schema
from sslstudio.project.project import Project

pytestmark = pytest.mark.skipif(not available(), reason="this system cannot hand system calls to a supervisor")

ACTIONS = {
    "paint": ["paint", "a.png", 3, 4, 5, 9, 8],
    "undo": ["undo", "a.png"],
    "redo": ["redo", "b.png"],
    "change the image": ["look", "b.png"],
    "import": ["import", 11, 0],
    "import annotations": ["import", 12, 1],
    "remove a class": ["drop", 1],
    "close": ["close"],
    "open": ["open"],
    "migrate": ["migrate"],
    "create": ["create"],
}
BEFORE = (
    ["paint", "a.png", 0, 0, 1, 12, 12],
    ["paint", "b.png", 5, 5, 2, 12, 12],
    ["save"],
    ["paint", "a.png", 6, 0, 3, 10, 12],
    ["paint", "b.png", 9, 9, 4, 10, 10],
    ["undo", "b.png"],
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A project with pending strokes, one of them undone, as a killed program leaves it; what is painted in it."""
    folder = tmp_path_factory.mktemp("pristine")
    path, models = new_project(folder)
    labourer = Labourer(path)
    for action in BEFORE:
        labourer.do(*action)
        models = models.after(action)
    kept = folder / "kept.sslproj"
    shutil.copytree(path, kept)  # with its journal: nobody has closed it
    labourer.project.close()
    shutil.rmtree(path)
    return folder, kept, models


class Hindered:
    """Does one action again and again, with the error at another system call each time, until it meets none."""

    def __init__(self, pristine, action, monkeypatch):
        self.folder, self.kept, self.models = pristine
        self.action, self.monkeypatch = action, monkeypatch
        self.path = self.folder / "p.sslproj"
        self.refused, self.sentences = Counter(), Counter()

    def once(self, forge, nth, error, lasting):
        """Whether the action met the error; asserts that nothing was lost."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.action[0] != "create":
            shutil.copytree(self.kept, self.path)
        told = forge.ask("attempt", str(self.path), self.action, nth, error, lasting)
        _, status, _, refused = told[-1]
        where = f"{self.action[0]}, error {errno.errorcode[error]} at call {nth} ({refused})"
        said = {words[0]: words[1:] for words in told}
        assert "broken" not in (said["first"][0], said.get("again", [""])[0]), f"{where}: {said}"
        assert os.WTERMSIG(status) == signal.SIGKILL, f"{where}: {status}"
        if said["first"][0] == "refused":
            problem, advice = said["first"][1:]
            assert advice, f"{where}: no advice in {problem!r}"
            assert "Errno" not in problem, where
            self.sentences[problem] += 1
        self._nothing_is_lost(said, where)
        self.refused.update(refused)
        return bool(refused)

    def _nothing_is_lost(self, said, where):
        done = "done" in (said["first"][0], said.get("again", [""])[0])
        assert done or self.action[0] == "close", f"{where}: not even once the disk was well again: {said}"
        expected = Models(IMAGES, SHAPE, 3) if self.action[0] == "create" else self.models.after(self.action)
        with self.monkeypatch.context() as patch:
            if self.action[0] == "migrate":
                patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, *LATER))
            with Project.open(self.path) as project:
                assert not project.notices, f"{where}: {project.notices}"
                assert not expected.difference(project), f"{where}: {expected.difference(project)} is lost"

    def all(self, forge, error, lasting, step=1):
        nth = 1
        while self.once(forge, nth, error, lasting):
            nth += step
        return -(-nth // step)


@pytest.fixture(scope="module")
def forge():
    with Forge() as process:
        yield process


@pytest.mark.parametrize("what", ACTIONS)
def test_a_full_disk_at_any_call(pristine, what, monkeypatch, forge):
    hindered = Hindered(pristine, ACTIONS[what], monkeypatch)
    hindered.all(forge, errno.ENOSPC, True, 11)
    assert hindered.refused


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", ACTIONS)
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
def test_any_error_at_every_call(pristine, what, error, lasting, monkeypatch, forge, record_property):
    hindered = Hindered(pristine, ACTIONS[what], monkeypatch)
    times = hindered.all(forge, error, lasting)
    assert times > 3
    record_property(
        "told", f"{times} places, nothing lost; said: {dict(hindered.sentences)}; refused {dict(hindered.refused)}"
    )
