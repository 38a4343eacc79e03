"""The rules that keep the rooms apart and the window quick, checked by machine."""

import os
import re
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OWN = ("sslstudio", "tests", "benchmarks", "packaging", "docs", ".ci", "resources")
HEAVY = ("torch", "torchvision", "timm", "accelerate", "onnx", "onnxruntime")


def tracked(*suffixes: str) -> list[Path]:
    """Files that git knows, or would take; of one of the suffixes if any is given."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [file for file in files if file.is_file() and (not suffixes or file.suffix in suffixes)]


def test_everything_points_down():
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout[-3000:] + checked.stderr


@pytest.mark.parametrize(
    "modules",
    [
        ("sslstudio.cli", "sslstudio.runs.prepare", "sslstudio.runs.follow", "sslstudio.demo"),
        ("sslstudio.queries.client", "sslstudio.runs.start", "sslstudio.annotations.palette_png"),
        ("sslstudio.ui.app", "sslstudio.ui.actions"),
        ("sslstudio.learning.segmentation.folders", "sslstudio.workers.control"),
    ],
)
def test_the_lower_floor_and_the_window_load_no_torch(modules):
    code = f"import sys, {', '.join(modules)}\nprint(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["sslstudio.cli", "sslstudio.workers.__main__", "sslstudio.workers.inference"])
def test_workers_and_the_command_line_load_no_qt(module):
    code = f"import sys, {module}\nprint([name for name in sys.modules if 'PySide6' in name or 'pyqtgraph' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nobody_sleeps_or_spins_the_event_loop():
    banned = re.compile(r"processEvents\s*\(|(?<![\w.])time\.sleep\s*\(|(?<!\w)sleep\s*\(\s*\d|qtbot\.wait\s*\(")
    found = []
    for file in tracked(".py"):
        with tokenize.open(file) as stream:
            for number, line in enumerate(stream, 1):
                if banned.search(line) and file != Path(__file__):
                    found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found


def test_committed_files_name_no_machine():
    """Nobody else has this machine's folders or package mirrors."""
    places = re.compile(r"/work/(main|shared)|(?<!\w)/root/|/tmp/\w|(?:index-url|find-links) *[= ] *\S*(?:https?:|/)")
    hosts = re.compile(r"https?://[^/\s]*(?:pypi|artifactory|nexus|mirror|registry|download\.pytorch)", re.IGNORECASE)
    found = []
    for file in tracked(".py", ".toml", ".txt", ".md", ".cfg", ".ini", ".yml", ".yaml", ".json", ".sh", ""):
        if file == Path(__file__):
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if places.search(line) or hosts.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert not found


def test_versions_are_pinned_for_every_dependency():
    pinned = (ROOT / "packaging" / "constraints.txt").read_text().lower()
    declared = re.findall(r'^\s+"([A-Za-z][\w-]+)[><=]', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert len(declared) > 20
    missing = {name for name in declared if name != "hatchling" and f"\n{name.lower()}==" not in pinned}
    assert not missing


def test_the_launcher_is_valid_shell_and_may_be_run():
    for script in (ROOT / "studio", ROOT / ".ci" / "run"):
        assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(ROOT / "studio")], check=False).returncode == 0


def test_what_the_launcher_starts_keeps_its_bytecode(tmp_path):
    """Else each process that loads torch compiles it anew: 7 seconds of a processor each time."""
    for name in ("studio", "pyproject.toml", "packaging/constraints.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "set: ${PYTHONDONTWRITEBYTECODE-no}"\n')
    python.chmod(0o755)
    stamp = 'printf "%s %s" "$PWD" "$(cat pyproject.toml packaging/constraints.txt | cksum)" > .venv/.studio-base'
    subprocess.run(["sh", "-c", stamp], cwd=tmp_path, check=True)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [tmp_path / "studio", "methods"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "set: no\n", done.stderr
