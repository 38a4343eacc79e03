"""MoCo v2: find an image's other view among a queue of earlier images, seen by a slow copy of the network.

Source: Chen et al. 2020, https://arxiv.org/abs/2003.04297 (MLP head, blur), on He et al. 2020,
https://arxiv.org/abs/1911.05722, section 3 (loss: equation 1; momentum: equation 2; shuffled batch norm: 3.3).
Differs from the paper: AdamW in place of SGD; a queue no longer than the folder, which begins empty, with the
batch's other images beside it, and never an image as its own negative (``contrast``); a narrower head; in runs
of few steps the slow copy follows faster, though no faster than the queue is renewed; augmentation by domain
preset. On one device there is no other one to shuffle batch norm over: where the backbone has batch norm, the
slow copy sees the batch in random groups (``batch_norm``), and as the negatives of the same batch share its
statistics, they tell nothing anyway.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, full_precision, two_views
from sslstudio.learning.methods.batch_norm import has_batch_norm, in_shuffled_groups
from sslstudio.learning.methods.contrast import KeyQueue, gathered, info_nce, known_pictures, negatives_for
from sslstudio.learning.methods.heads import mlp
from sslstudio.learning.methods.momentum import follow, queue_momentum
from sslstudio.recipes.methods import MoCoV2Recipe
from sslstudio.recipes.presets import Augmentation


class MoCoV2(Method):
    """``encoder`` and ``head`` make queries and are trained; their slow copies make keys."""

    def __init__(self, encoder: Encoder, recipe: MoCoV2Recipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder
        self.recipe = recipe
        self.head = mlp(encoder.width, recipe.projection_hidden, recipe.projection_out, norm=False)
        self.key_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.key_head = copy.deepcopy(self.head).requires_grad_(False)
        self.queue = KeyQueue(recipe.queue, recipe.projection_out)
        self.views = two_views(encoder, resolution, look)
        self._groups = has_batch_norm(encoder)
        self._queue_steps = 1.0

    def forward(self, views: Views) -> StepResult:
        """Queries from the first view of every image, keys from the second; ``views`` holds one (2B, 3, H, W)."""
        left, right = views[0].chunk(2)
        queries = self.head(self.encoder(left)).float()  # (B, D)
        keys = self._keys(right).float()
        pictures = known_pictures(self.pictures, keys)
        with full_precision(keys.device):
            queries, keys = F.normalize(queries, dim=1), F.normalize(keys, dim=1)
            negatives = negatives_for(pictures, keys, self.queue)
            loss = info_nce(queries, keys, negatives, self.recipe.temperature)
        if self.training:
            self.queue.add(gathered(keys), gathered(pictures))
            self._queue_steps = self.recipe.queue / len(keys)
        return StepResult(loss)

    @torch.no_grad()
    def _keys(self, images: Tensor) -> Tensor:
        if not self._groups:
            return self.key_head(self.key_encoder(images))
        (keys,) = in_shuffled_groups(lambda group: (self.key_head(self.key_encoder(group)),), images)
        return keys

    def after_step(self) -> None:
        """Let the slow copy follow (equation 2)."""
        momentum = queue_momentum(self.recipe.momentum, self.position.expected_steps, self._queue_steps)
        follow(self.key_encoder, self.encoder, momentum)
        follow(self.key_head, self.head, momentum)
