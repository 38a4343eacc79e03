"""The catalogue of backbones: read without torch, quickly, with honest estimates."""

import subprocess
import sys
from dataclasses import replace

import pytest

from sslstudio.recipes.backbones import BACKBONES, kind_of
from sslstudio.recipes.catalogue import catalogue, families, find
from sslstudio.recipes.machine import RECOMMENDED, Machine, estimate, machine, memory_words, remember, time_words

SLOW, FAST = Machine(conv=50, vit=50), Machine(conv=500, vit=500, measured=True, device="x")


def test_it_is_read_without_torch_timm_or_qt():
    code = (
        "import sys, sslstudio.recipes.catalogue as c; assert c.catalogue();"
        "print(sorted({'torch', 'timm', 'PySide6', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_the_window_offers_and_recommends_is_in_it_with_the_same_facts():
    for info in BACKBONES.values():
        row = catalogue()[info.name]
        assert (row.kind, row.patch) == (info.kind, info.patch)
        assert row.parameters / 1e6 == pytest.approx(info.parameters, abs=0.06)
    assert {advice.device for advice in RECOMMENDED} == {"cpu", "cuda"}
    assert all(advice.name in catalogue() for advice in RECOMMENDED)


def test_search_finds_by_name_family_weights_and_licence():
    assert "vit_small_patch16_dinov3" in [row.name for row in find("dinov3 small")]
    assert "convnext_tiny" in [row.name for row in find("convnext dinov3")], "by the tag of its weights"
    assert all("mit" in {w.licence for w in row.weights} for row in find("mit eva02"))
    assert find("no such thing") == []
    assert all(row.family == "ResNet" for row in find("", "ResNet"))
    assert sum(families().values()) == len(catalogue())


def test_the_kind_of_a_name_is_the_encoders_with_or_without_a_tag():
    assert kind_of("vit_small_patch16_dinov3.lvd1689m") == "vit"
    assert kind_of("convnext_tiny.dinov3_lvd1689m") == "conv"
    assert kind_of("resnet18") == "conv"


def test_estimates_grow_with_work_and_shrink_with_speed():
    small, large = catalogue()["resnet18"], catalogue()["resnet50"]
    assert estimate(large, SLOW).seconds > estimate(small, SLOW).seconds
    assert estimate(small, FAST).seconds == pytest.approx(estimate(small, SLOW).seconds / 10)
    assert estimate(small, SLOW, images=128).memory > estimate(small, SLOW, images=64).memory
    assert estimate(small, SLOW, resolution=256).seconds == pytest.approx(4 * estimate(small, SLOW).seconds)
    assert estimate(small, SLOW).guessed
    assert not estimate(small, FAST).guessed
    fixed = replace(small, fixed=True, size=224)
    assert estimate(fixed, SLOW, resolution=64).seconds == estimate(fixed, SLOW, resolution=128).seconds


def test_a_measurement_is_kept_and_a_torn_file_is_a_guess(tmp_path, monkeypatch):
    monkeypatch.setenv("SSLSTUDIO_STATE", str(tmp_path))
    assert not machine().measured
    remember(FAST)
    assert machine() == FAST
    (tmp_path / "machine.json").write_text("{")
    assert not machine().measured


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.004, "about 4 ms"),
        (0.083, "about 80 ms"),
        (0.84, "about 0.8 s"),
        (42.4, "about 42 s"),
        (150, "about 2.5 min"),
    ],
)
def test_an_estimate_has_two_figures_and_says_about(seconds, words):
    assert time_words(seconds) == words
    assert memory_words(1.84e9) == "about 1.8 GB"
