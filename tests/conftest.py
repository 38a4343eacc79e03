"""What many tests want: real data where it is there, and a small folder of made images."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.project.holder import introduce

# Without a screen Qt would abort the whole test process.
if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# What tests read is English, whatever the machine speaks.
os.environ["SSLSTUDIO_LANGUAGE"] = "en"

_DATA = Path(__file__).parents[1] / "../shared/data"


@pytest.fixture(scope="session", autouse=True)
def _own_state_folder(tmp_path_factory: pytest.TempPathFactory):
    """Queue locks and recent projects of a test process stay its own."""
    before = os.environ.get("SSLSTUDIO_STATE")
    os.environ["SSLSTUDIO_STATE"] = str(tmp_path_factory.mktemp("state"))
    yield
    if before is None:
        del os.environ["SSLSTUDIO_STATE"]
    else:
        os.environ["SSLSTUDIO_STATE"] = before


@pytest.fixture(autouse=True)
def _nobody_introduced():
    """What a test says this process is, as the command line does in its first line, ends with the test."""
    introduce("")


@pytest.fixture(scope="session")
def qapp_cls():
    """The program's own application, which hears more than Qt's."""
    from sslstudio.ui.app import Application

    return Application


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real data sets; skips where they are absent."""
    if not _DATA.is_dir():
        pytest.skip("the real data sets (../shared/data) are not on this machine")
    return _DATA.resolve()


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Six small images, 48 × 32 (width × height) pixels: four in the folder, two in ``deep``."""
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(1, 5):
        _picture(rng).save(folder / f"cell_{number}.png")
    for number in range(1, 3):
        _picture(rng).save(folder / "deep" / f"cell_{number}.jpg", quality=95)
    return folder


def _picture(rng: np.random.Generator) -> Image.Image:
    small = rng.integers(0, 255, (4, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((48, 32), Image.Resampling.BICUBIC)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests tell: how often something was killed, for example."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "told":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
