"""The scan finds all images and nothing else, in the order that people expect."""

import os

import pytest

from sslstudio.errors import UserError
from sslstudio.images.scan import natural_key, scan


def make(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_finds_images_naturally_sorted_and_skips_the_rest(tmp_path):
    make(tmp_path, "img10.png", "img2.PNG", "b/z.tiff", "b/a.jpeg", "notes.txt", ".hidden.png", "._mac.jpg")
    make(tmp_path, ".git/x.png", "old.sslproj/masks/x.png", "noending")
    assert [found.path for found in scan(tmp_path)] == ["b/a.jpeg", "b/z.tiff", "img2.PNG", "img10.png"]
    assert next(scan(tmp_path)).size == 1


def test_scan_order_is_the_projects_order(tmp_path):
    make(tmp_path, "a.png", "a/1.png", "a 2/1.png", "B/10.png", "B/9.png", "b-1.png", "img_2/x.png", "img_10/x.png")
    paths = [found.path for found in scan(tmp_path)]
    assert sorted(paths, key=natural_key)[:3] == paths[:3]
    assert paths.index("B/9.png") < paths.index("B/10.png")
    assert paths.index("img_2/x.png") < paths.index("img_10/x.png")


def test_links_in_a_circle_end(tmp_path):
    make(tmp_path, "a/x.png")
    (tmp_path / "a" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert [found.path for found in scan(tmp_path)] == ["a/x.png"]


def test_a_missing_folder_and_a_file_are_named(tmp_path):
    make(tmp_path, "x.png")
    with pytest.raises(UserError, match="nowhere is not there"):
        list(scan(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="is a file, not a folder"):
        list(scan(tmp_path / "x.png"))


def test_names_that_are_no_text_are_found(tmp_path):
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    except OSError:
        pytest.skip("this disk takes only names that are text")
    assert len(list(scan(tmp_path))) == 1
