"""The run worker as a real process: every end is told, killing loses nothing, runs wait for each other."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.segmentation.model import SegmentationModel, save_model
from sslstudio.project.project import Project
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs.events import Progress
from sslstudio.runs.folder import RunFolder, RunState
from sslstudio.runs.prepare import predict_request, pretrain_request
from sslstudio.runs.request import ExportRequest
from sslstudio.runs.start import resume, start, worker_command
from sslstudio.workers.control import FolderControl
from sslstudio.workers.turn import Turn

PATIENCE = 200  # seconds; loading torch on a busy machine takes a while


@pytest.fixture
def begin():
    """Starts or resumes a worker that does not outlive the test."""
    processes = []

    def begin(run: RunFolder, how=start, **options) -> subprocess.Popen:
        processes.append(how(run, **options))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def quick_recipe(minutes: float) -> PretrainRecipe:
    return PretrainRecipe(minutes=minutes, backbone="convnext_atto", resolution=32, batch_size=4)


def pretraining(project_folder: Path, minutes: float = 60) -> RunFolder:
    with Project.open(project_folder, write=False) as project:
        return RunFolder.create(project_folder, pretrain_request(project, quick_recipe(minutes)), "test")


def until(run: RunFolder, process: subprocess.Popen, wanted) -> None:
    """Return when ``wanted(events)`` holds; fail when the worker ends before, or after PATIENCE."""
    end = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not wanted(list(run.events())):
        assert process.poll() is None, run.log.read_text()[-2000:]
        assert time.monotonic() < end, [event.kind for event in run.events()]
        pause.wait(0.05)


def kinds(events) -> list[str]:
    return [event.kind for event in events]


def read_step(run: RunFolder) -> int:
    file = run.checkpoints / "last" / "encoder.json"
    return json.loads(file.read_bytes())["step"] if file.exists() else 0


def texts(run: RunFolder) -> list[str]:
    return [event.text for event in run.events() if event.kind == "phase"]


@pytest.mark.timeout(900)
def test_a_run_is_killed_resumes_from_its_checkpoint_and_stops_when_asked(small_project, begin):
    run = pretraining(small_project)
    process = begin(run)
    assert os.getsid(process.pid) == process.pid, "it must outlive the window"
    until(run, process, lambda events: "metric" in kinds(events))
    assert run.state() is RunState.RUNNING
    with pytest.raises(UserError, match="already"):
        start(run)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run.state() is RunState.INTERRUPTED
    assert run.summary().checkpoint == read_step(run), "what resuming promises is what is on disk"

    told = len(list(run.events()))
    process = begin(run, resume)
    until(run, process, lambda events: "metric" in kinds(events[told:]))
    assert run.state() is RunState.RUNNING
    run.wish("stop")
    assert process.wait(PATIENCE) == 0
    assert run.state() is RunState.STOPPED
    assert (run.checkpoints / "last" / "encoder.safetensors").exists()
    assert kinds(run.events())[-1] == "stopped"

    told = len(list(run.events()))
    process = begin(run, resume, background=False)  # the old wish to stop is forgotten
    until(run, process, lambda events: "metric" in kinds(events[told:]))
    first = next(event for event in list(run.events())[told:] if event.kind == "metric")
    assert first.step > 1, "it goes on instead of beginning again"
    run.wish("pause")
    until(run, process, lambda events: kinds(events)[-1] == "paused")
    assert run.state() is RunState.PAUSED
    other = pretraining(small_project)
    turn = Turn(other)
    assert turn.take(), "a paused run lets others work"
    run.unwish("pause")
    until(run, process, lambda events: kinds(events)[-1] == "phase")
    assert texts(run)[-1].startswith("Waiting for “Pretraining with SimCLR”"), "whoever waits again says for what"
    assert run.state() is RunState.RUNNING
    turn.give()
    until(run, process, lambda events: "resumed" in kinds(events[told:]))
    assert texts(run)[-1] == "Training"
    process.send_signal(signal.SIGTERM)  # what a shutdown sends: stop and keep
    assert process.wait(PATIENCE) == 0
    assert run.state() is RunState.STOPPED


def test_a_run_waits_for_the_other_and_can_be_stopped_meanwhile(small_project, begin):
    run = pretraining(small_project)
    other = pretraining(small_project)
    other.append(Progress(step=1, steps=9, share=0.1, seconds_left=170))
    turn = Turn(other)
    assert turn.take()
    process = begin(run)
    until(run, process, bool)
    assert texts(run) == ["Waiting for “Pretraining with SimCLR”, about 3 minutes left"]
    assert run.state() is RunState.WAITING
    run.wish("stop")
    assert process.wait(PATIENCE) == 0
    assert run.state() is RunState.STOPPED
    assert "started" not in kinds(run.events())
    turn.give()


def test_a_short_run_goes_on_after_a_pause_whosever_turn_it_is(small_project, begin):
    model = SegmentationModel(create_encoder("test_resnet"), "linear", 2, crop=32)
    classes = [{"name": name, "colour": "#ffffff"} for name in ("a", "b")]
    save_model(model, small_project / "models" / "m", {"classes": classes, "metrics": {}})
    with Project.open(small_project, write=False) as project:
        run = RunFolder.create(small_project, predict_request(project, "m"), "x")
    turn = Turn()
    assert turn.take()
    run.wish("pause")
    process = begin(run)
    until(run, process, lambda events: "paused" in kinds(events))
    run.unwish("pause")
    assert process.wait(PATIENCE) == 0
    assert run.state() is RunState.FINISHED
    turn.give()


def test_the_turn_passes_on(small_project):
    control = FolderControl(pretraining(small_project))
    first, second = Turn(), Turn()
    assert first.take()
    assert not second.take()
    first.give()
    assert second.wait(control)
    second.give()


def test_what_the_user_can_mend_is_told_without_a_traceback(tmp_path, begin):
    run = RunFolder.create(tmp_path / "p.sslproj", ExportRequest(model="nowhere"), "x")
    process = begin(run)
    assert process.wait(PATIENCE) == 2
    *_, last = run.events()
    assert last.kind == "failed"
    assert "model" in last.problem
    assert last.advice
    assert "Traceback" not in run.log.read_text()


def test_an_unreadable_request_is_told_at_once(tmp_path):
    run = RunFolder.create(tmp_path / "p.sslproj", ExportRequest(model="m"), "x")
    (run.path / "request.json").write_text("{")
    with pytest.raises(UserError, match="cannot be read"):
        start(run)
    process = subprocess.run(worker_command(run), check=False)
    assert process.returncode == 2
    assert [event.kind for event in run.events()] == ["failed"]


def test_a_bug_is_told_and_its_traceback_is_in_the_log(tmp_path):
    """A job that breaks: the export module is replaced in the worker's process by one that raises."""
    run = RunFolder.create(tmp_path / "p.sslproj", ExportRequest(model="m"), "x")
    code = (
        "import sys, types\n"
        "broken = types.ModuleType('sslstudio.learning.export.export')\n"
        "def export(request, *, project, control):\n"
        "    yield from ()\n"
        "    raise ZeroDivisionError('a bug')\n"
        "broken.export = export\n"
        "sys.modules[broken.__name__] = broken\n"
        "from sslstudio.workers.__main__ import main\n"
        "sys.exit(main([sys.argv[1]]))\n"
    )
    process = subprocess.run([sys.executable, "-c", code, str(run.path)], check=False)
    assert process.returncode == 1
    *_, last = run.events()
    assert last.kind == "failed"
    assert "unexpected" in last.problem
    assert "log.txt" in last.advice
    assert "ZeroDivisionError" in run.log.read_text()


def test_a_second_worker_leaves_the_first_alone(tmp_path):
    run = RunFolder.create(tmp_path / "p.sslproj", ExportRequest(model="m"), "x")
    with run.life():
        process = subprocess.run(worker_command(run), check=False)
    assert process.returncode == 3
    assert list(run.events()) == []


def test_a_torn_line_of_a_killed_worker_spoils_nothing(tmp_path, begin):
    run = RunFolder.create(tmp_path / "p.sslproj", ExportRequest(model="nowhere"), "x")
    (run.path / "events.jsonl").write_bytes(b'{"kind":"phase","text":"half')
    begin(run).wait(PATIENCE)
    assert kinds(run.events())[0] == "started"


def test_no_run_folder_is_one_sentence(tmp_path):
    process = subprocess.run(
        [sys.executable, "-m", "sslstudio.workers", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize("rank", ["1"])
def test_only_the_first_of_several_processes_reports(tmp_path, rank):
    run = RunFolder.create(tmp_path / "p.sslproj", ExportRequest(model="nowhere"), "x")
    subprocess.run(worker_command(run), env={**os.environ, "RANK": rank}, check=False)
    assert list(run.events()) == []


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 3 MB; only root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_told_in_plain_words(tiny_disk, small_project, begin):
    with Project.open(small_project, write=False) as project:
        request = pretrain_request(project, quick_recipe(60))
    run = RunFolder.create(tiny_disk / "p.sslproj", request, "x")
    assert begin(run).wait(PATIENCE) != 0
    *_, last = run.events()
    assert last.kind == "failed"
    assert "disk" in (last.problem + last.advice).lower()
    assert "unexpected" not in last.problem


def test_the_whole_request_is_kept_so_that_a_run_can_be_repeated(small_project):
    run = pretraining(small_project)
    kept = json.loads((run.path / "request.json").read_bytes())
    assert kept["recipe"]["backbone"] == "convnext_atto"
    assert len(kept["images"]) == 8
    assert run.request().recipe == quick_recipe(60)
