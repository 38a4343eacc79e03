"""Killed at any moment, a project opens again and every acknowledged stroke is there, byte for byte."""

import os
import random
import shutil
import signal
import sqlite3
from collections import Counter

import pytest
from forge_client import Forge
from labourer import CHANCES, LATER, new_project

from sslstudio.project import schema
from sslstudio.project.project import Project

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="workers are forked and killed as Linux does")


@pytest.fixture
def killed(tmp_path):
    """A project of three images, and what should be painted in it."""
    return new_project(tmp_path)


def follow(told, models):
    """What should be there after what a worker told: (for certain, or else, the action that was cut off)."""
    about_to = None
    for what, action, *_ in told[:-1]:
        if what == "will":
            about_to = action
        else:
            models, about_to = models.after(action), None
    return models, models.after(about_to) if about_to else models, about_to


def settle(path, certain, perhaps):
    """Open the project; which of the two it holds. Neither: something was lost."""
    with Project.open(path) as project:
        assert not project.notices
        missing = certain.difference(project)
        if not missing:
            return certain
        assert not perhaps.difference(project), f"lost: {missing}"
        return perhaps


def moment(chance, kind):
    """When to kill: in which action (0: while opening), and how many seconds into it; most take a few thousandths."""
    if kind == "migration" or (kind == "opening and closing" and chance.random() < 0.5):
        return 0, chance.uniform(0, 0.05)
    return chance.randint(1, 12), chance.choice([0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016]) * chance.random()


def round_(forge, path, models, kind, chance, seed):
    """One worker killed; the state of the project afterwards, how many actions it had done, and the one cut off."""
    told = forge.ask("labour", str(path), kind, seed, *moment(chance, kind))
    assert os.WTERMSIG(told[-1][1]) == signal.SIGKILL
    certain, perhaps, about_to = follow(told, models)
    return settle(path, certain, perhaps), sum(words[0] == "did" for words in told), about_to


def migration_round(forge, path, models, chance, seed, monkeypatch):
    """The same with an older project that is brought up to date, in a copy that is thrown away."""
    older = path.with_name("older.sslproj")
    shutil.copytree(path, older)
    with monkeypatch.context() as patch:
        told = forge.ask("labour", str(older), "migration", seed, *moment(chance, "migration"))
        certain, perhaps, about_to = follow(told, models)
        with sqlite3.connect(f"file:{older}/project.sqlite?mode=ro", uri=True) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
        database.close()
        before = len(schema.MIGRATIONS)
        assert before <= version <= before + len(LATER)
        if version > before:
            assert (older / "backups" / f"before-format-{before + len(LATER)}.sqlite").exists()
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, *LATER))
        settle(older, certain, perhaps)
    shutil.rmtree(older)
    return about_to


def check_kills(killed, times, monkeypatch, record_property):
    path, models = killed
    chance, cut, actions = random.Random(times), Counter(), 0
    kinds = list(CHANCES)
    with Forge() as forge:
        for number in range(times):
            kind = kinds[number % len(kinds)]
            if kind == "migration":
                about_to = migration_round(forge, path, models, chance, number, monkeypatch)
            else:
                models, done, about_to = round_(forge, path, models, kind, chance, number)
                actions += done
            cut[f"{kind}/{about_to[0]}" if about_to else "between two actions"] += 1
    undone = take_all_back(path, models)
    record_property(
        "told",
        f"{times} kills, nothing lost: {actions} finished actions; cut off in the midst of "
        f"{', '.join(f'{what}: {count}' for what, count in sorted(cut.items()))}; "
        f"{undone} strokes then undone one by one, each byte for byte.",
    )
    assert actions > times, "the workers hardly worked"
    return cut


def take_all_back(path, models):
    """Undo everything that was ever painted, over all those kills; how many strokes that were."""
    undone = 0
    with Project.open(path) as project:
        for image, model in models.images.items():
            labels = project.label_map(image)
            while (patch := project.undo(image)) is not None:
                labels.put(patch)
                model.step("undo")
                undone += 1
                assert labels.labels.tobytes() == model.now().tobytes()
            assert model.at == 0 or undone >= 1000
    return undone


def test_twenty_kills(killed, monkeypatch, record_property):
    cut = check_kills(killed, 20, monkeypatch, record_property)
    assert sum(cut.values()) - cut["between two actions"] > 5


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_hundred_kills(killed, monkeypatch, record_property):
    cut = check_kills(killed, 300, monkeypatch, record_property)
    for what in ("painting/paint", "undo and redo/undo", "image change/look", "saving/save", "import/import"):
        assert cut[what] > 2, cut
    assert cut["migration/open"] > 5, cut
