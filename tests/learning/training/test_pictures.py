"""A method is told which picture each image of a step is, so that it need not tell a picture from itself."""

import numpy as np
import torch
from PIL import Image

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.simclr import SimCLR
from sslstudio.learning.training.batches import Batch, Order, Prefetch
from sslstudio.learning.training.budget import StepBudget
from sslstudio.learning.training.cache import ImageCache
from sslstudio.learning.training.devices import make_accelerator
from sslstudio.learning.training.loop import Rates, Trainer
from sslstudio.learning.training.optimiser import make_optimiser
from sslstudio.recipes.methods import SimCLRRecipe
from sslstudio.recipes.presets import Augmentation


class Listening(SimCLR):
    """Notes what it is told."""

    def forward(self, views):
        self.told.append(None if self.pictures is None else self.pictures.tolist())
        return super().forward(views)


def told(batch, pieces=1):
    method = Listening(create_encoder("test_vit"), SimCLRRecipe(), resolution=32, look=Augmentation())
    method.told = []
    optimiser = make_optimiser(method, learning_rate=1e-4, weight_decay=0.0)
    random = torch.Generator().manual_seed(0)
    accelerator, rates = make_accelerator(), Rates(1e-4, 0.0, 3.0)
    trainer = Trainer(method, optimiser, accelerator, StepBudget(1), rates, random, pieces=pieces)
    list(trainer.run(lambda: batch))
    return method.told


def test_the_pictures_of_each_part_of_a_batch_are_told():
    tiles, aspects = torch.randint(0, 255, (6, 40, 40, 3), dtype=torch.uint8), torch.ones(6)
    known = Batch(tiles, aspects, (0, 6), torch.tensor([4, 7, 1, 4, 0, 2]))
    assert told(known) == [[4, 7, 1, 4, 0, 2]]
    assert told(known, pieces=2) == [[4, 7, 1], [4, 0, 2]]
    assert told(Batch(tiles, aspects, (0, 6))) == [None]


def test_the_same_number_is_the_same_picture_all_through_a_run(tmp_path):
    """Of images cut into tiles every tile is a picture of its own, also after the cache was sorted."""
    for number in range(3):
        flat = np.full((64, 192, 3), 80 * number, np.uint8)
        flat[:, 64:128] += 20
        flat[:, 128:] += 40
        Image.fromarray(flat).save(tmp_path / f"{number}.png")
    names = tuple(f"{number}.png" for number in (2, 0, 1))
    cache = ImageCache(tmp_path, names, tmp_path / "cache", side=64)
    cache.build()
    assert cache.wait(10**9, 60)
    feed = Prefetch(cache, Order(0, 3))
    shade: dict[int, set[int]] = {}
    for _ in range(9):
        batch = feed.next()
        for tile, picture in zip(batch.tiles, batch.pictures.tolist(), strict=True):
            shade.setdefault(picture, set()).add(int(tile[32, 32, 0]))
    feed.close()
    cache.close()
    assert len(shade) == 9
    assert all(len(found) == 1 for found in shade.values())
    assert len(set.union(*shade.values())) == 9
