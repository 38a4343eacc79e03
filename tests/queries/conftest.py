"""Small made models and pictures for the inference process."""

from pathlib import Path

import pytest

from sslstudio.images.sample import CLASSES, COLOURS, write_sample


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sample pictures, a small transformer's and a small convolutional network's checkpoint, a model."""
    import torch

    from sslstudio.learning.backbones.checkpoints import save_encoder
    from sslstudio.learning.backbones.encoder import create_encoder
    from sslstudio.learning.segmentation.model import SegmentationModel, save_model

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("material")
    write_sample(folder / "sample", 3)
    save_encoder(create_encoder("vit_tiny_patch16_224"), folder / "vit", {"step": 1})
    save_encoder(create_encoder("convnext_atto"), folder / "conv", {"step": 1})
    model = SegmentationModel(create_encoder("convnext_atto"), "linear", 3, crop=64)
    about = {"classes": [{"name": n, "colour": c} for n, c in zip(CLASSES, COLOURS, strict=True)], "metrics": {}}
    save_model(model, folder / "model", about)
    return folder
