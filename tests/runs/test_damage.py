"""A file that is damaged in its middle looks well from its header; the first run that reads it gives it away."""

import pytest
from PIL import Image

from sslstudio.project.project import Project
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs import events as ev
from sslstudio.runs.damage import note_damage, note_damage_beside
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.prepare import pretrain_request
from sslstudio.runs.request import PredictRequest


@pytest.fixture
def holed(image_folder):
    """A picture whose end and header are whole."""
    file = image_folder / "cell_2.png"
    Image.effect_noise((300, 300), 90).save(file)
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    file.write_bytes(data)
    return file


def test_what_a_run_could_not_read_is_left_out_from_then_on(tmp_path, image_folder, holed):
    with Project.create(tmp_path / "p", image_folder) as project:
        assert project.check_files() == []
        request = pretrain_request(project, PretrainRecipe())
        assert holed.name in request.images
        run = RunFolder.create(project.path, request)
        run.append(ev.Warned(text="?", about=holed.name))
        run.append(ev.Warned(text="Memory ran out.", about="batch_size"))
        run.append(ev.Warned(text="Something about a good image.", about="cell_1.png"))
        assert note_damage(project, run) == 1
        (bad,) = project.problems()
        assert (bad.path, "cell_2.png" in bad.problem) == (holed.name, True)
        assert holed.name not in pretrain_request(project, PretrainRecipe()).images
        Image.new("L", (48, 32)).save(holed)
        project.refresh()
        assert project.check_files() == [], "a new file gets a new chance"


def test_another_folder_says_nothing_about_the_project(tmp_path, image_folder, holed):
    with Project.create(tmp_path / "p", image_folder) as project:
        request = PredictRequest(model="m", images_root=str(tmp_path), images=(holed.name,), out="x")
        run = RunFolder.create(project.path, request)
        run.append(ev.Warned(text="?", about=holed.name))
        assert note_damage(project, run) == 0


def test_the_command_line_notes_it_beside_an_open_window(tmp_path, image_folder, holed):
    with Project.create(tmp_path / "p", image_folder) as project:
        run = RunFolder.create(project.path, pretrain_request(project, PretrainRecipe()))
        run.append(ev.Warned(text="?", about=holed.name))
        note_damage_beside(run)
        assert [record.path for record in project.problems()] == [holed.name]
