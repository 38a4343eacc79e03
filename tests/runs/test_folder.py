"""A run's folder tells the truth about its run, whatever happened to the worker."""

import os
from pathlib import Path

import pytest

from sslstudio.errors import UserError
from sslstudio.runs import events as ev
from sslstudio.runs.folder import EventTail, RunFolder, RunState, find_run, runs_of
from sslstudio.runs.request import ExportRequest


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "p.sslproj", ExportRequest(model="m"), "My model")


def test_a_new_run_waits(run):
    assert run.state() is RunState.WAITING
    assert run.id.endswith("-export-my-model")


def test_runs_of_the_same_second_have_their_own_folders(tmp_path):
    made = {RunFolder.create(tmp_path, ExportRequest(model="m"), "x").id for _ in range(5)}
    assert len(made) == 5
    assert {run.id for run in runs_of(tmp_path)} == made


def test_a_dead_worker_leaves_an_interrupted_run(run):
    run.append(ev.Started())
    assert run.state() is RunState.INTERRUPTED


def test_a_living_worker_means_running(run):
    run.append(ev.Started())
    with run.life():
        assert run.state() is RunState.RUNNING
        run.append(ev.Paused())
        assert run.state() is RunState.PAUSED
        run.append(ev.Resumed())
        assert run.state() is RunState.RUNNING


def test_a_worker_that_died_in_the_queue_is_told_from_one_that_waits(run):
    run.append(ev.Phase(text="Waiting for the other run"))
    with run.life():
        assert run.state() is RunState.WAITING
    assert run.state() is RunState.INTERRUPTED


def test_a_stopped_run_that_is_resumed_and_waits_is_not_called_stopped(run):
    run.append(ev.Started())
    run.append(ev.Stopped())
    assert run.state() is RunState.STOPPED
    with run.life():
        run.append(ev.Phase(text="Waiting for the other run"))
        assert run.state() is RunState.WAITING


def test_a_torn_line_is_skipped_and_a_half_line_waits(run):
    run.append(ev.Phase(text="one"))
    tail = EventTail(run.path / "events.jsonl")
    assert [event.text for event in tail.read()] == ["one"]
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(b'{"kind":"phase","te\n{"kind":"phase","text":"t')
    assert tail.read() == []
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(b'wo"}\n')
    assert [event.text for event in tail.read()] == ["two"]


def test_a_run_is_found_by_the_beginning_of_its_id(run):
    assert find_run(run.project_folder, run.id[:10]).id == run.id
    with pytest.raises(UserError, match="no run “nothing”"):
        find_run(run.project_folder, "nothing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_project_is_told_in_plain_words(tmp_path):
    (tmp_path / "p").mkdir(mode=0o500)
    with pytest.raises(UserError, match="could not be prepared"):
        RunFolder.create(tmp_path / "p", ExportRequest(model="m"))
