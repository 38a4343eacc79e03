"""Masks of any format on the command line: preview, import, export, tables."""

import json

import numpy as np
import pytest

from sslstudio.annotations.formats import FORMATS
from sslstudio.cli import MASK_FORMATS, main
from sslstudio.project.project import Project


@pytest.fixture
def project(tmp_path, image_folder):
    with Project.create(tmp_path / "p", image_folder, ["background", "cell"]) as made:
        labels = np.zeros((32, 48), np.uint8)
        labels[4:9, 5:11] = 1
        made.set_mask("cell_3.png", labels)
    return tmp_path / "p.sslproj"


def run(capsys, *words) -> dict:
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_words_are_the_table_of_formats():
    assert sorted(MASK_FORMATS) == sorted(FORMATS)


def test_out_preview_and_in_again(tmp_path, image_folder, project, capsys):
    out = run(capsys, "export-masks", project, "--format", "coco", "--out", tmp_path / "o", "--overlay")
    assert (out["images"], out["pictures"]) == (["cell_3.png"], 1)
    with Project.create(tmp_path / "q", image_folder, ["background", "thing"]):
        pass
    source = ("import-masks", tmp_path / "q.sslproj", "--from", tmp_path / "o/annotations.json")
    seen = run(capsys, *source, "--map", "cell=thing", "--preview")
    assert (seen["format"], seen["matched"], seen["classes"][0]["becomes"]) == ("coco", ["cell_3.png"], "thing")
    done = run(capsys, *source, "--map", "cell=thing")
    assert (done["matched"], done["classes"]) == (["cell_3.png"], ["background", "thing"])
    with Project.open(tmp_path / "q.sslproj", write=False) as again:
        assert again.label_map("cell_3.png").labels.sum() == 30


def test_tables(tmp_path, project, capsys):
    done = run(capsys, "measure", project, "--out", tmp_path / "t.csv")
    assert (done["images"], done["regions"]) == (1, 2)
    assert (tmp_path / "t_regions.csv").is_file()
