"""Small values kept with a project: there again after a restart, without making strokes any less safe."""

from sslstudio.project.project import Project


def test_settings_are_there_again_and_strokes_are_still_waited_for(tmp_path, image_folder):
    project = Project.create(tmp_path / "p", image_folder, ["a", "b"])
    project.set_setting("brush", 7)
    assert project._db.row("PRAGMA synchronous") == (2,), "FULL, for the strokes that follow"
    with project.together():
        project.set_setting("step", "paint")
    project.close()
    with Project.open(tmp_path / "p.sslproj") as again:
        assert (again.setting("brush"), again.setting("step")) == (7, "paint")
