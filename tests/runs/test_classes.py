"""No run or model misreads masks after a class has gone."""

import pytest

from sslstudio.errors import UserError
from sslstudio.project.project import Project
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.runs.classes import remove_class
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.request import ClassSpec, FinetuneRequest
from sslstudio.runs.start import start


def test_a_fine_tuning_with_the_old_classes_keeps_them_or_ends_with_them(tmp_path, image_folder):
    with Project.create(tmp_path / "p", image_folder, ["a", "b", "c"]) as project:
        specs = tuple(ClassSpec(name=one.name, colour=one.colour) for one in project.classes)
        request = FinetuneRequest(
            images_root=str(image_folder), labelled=(), classes=specs, model="m", recipe=FinetuneRecipe()
        )
        run = RunFolder.create(project.path, request, "m")
        with run.life(), pytest.raises(UserError, match="under way"):
            remove_class(project, 1)
        assert len(project.classes) == 3
        remove_class(project, 1)
        assert [one.name for one in project.classes] == ["a", "c"]
        with pytest.raises(UserError, match="classes have changed"):
            start(run)
