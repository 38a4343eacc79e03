"""Images can be told apart by their names in the list: folders where names repeat, the part in which names differ."""

import pytest
from PySide6.QtGui import QFontMetrics

from sslstudio.project.index import ImageRecord
from sslstudio.ui import theme
from sslstudio.ui.browser import fitting_caption
from sslstudio.ui.image_model import ImageModel, Role

ROOM = 80  # pixels, of the narrowest cell


def record(path):
    return ImageRecord(1, path, 8, 8, 1, "uint8", 1, 1, "", 0.0, False)


def captions(qapp, *paths):
    model = ImageModel()
    model.set_records([record(path) for path in paths])
    metrics = QFontMetrics(theme.font(theme.SMALL))
    found = []
    for row in range(model.rowCount()):
        told = model.index(row).data(Role.FOLDER), model.index(row).data(Role.DIFFERS)
        found.append(fitting_caption(model.record_at(row), metrics, ROOM, *told))
        assert metrics.horizontalAdvance(found[-1]) <= ROOM
    return found


def test_files_of_one_name_are_told_with_their_folders(qapp):
    assert captions(qapp, "b.png", "one/a.png", "two/a.png") == ["b.png", "one/a.png", "two/a.png"]


@pytest.mark.parametrize(
    "paths",
    [
        ("a_very_long_folder_1/a.png", "a_very_long_folder_2/a.png"),
        ("experiment_2026_plate_A_of_the_second_series.png", "experiment_2026_plate_B_of_the_second_series.png"),
        ("experiment_of_the_second_series_1.png", "experiment_of_the_second_series_2.png"),
    ],
)
def test_names_that_are_shortened_stay_different(qapp, paths):
    first, second = captions(qapp, *paths)
    assert first != second
    assert "…" in first
