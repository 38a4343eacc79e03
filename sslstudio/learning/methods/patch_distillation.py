"""What iBOT and DINOv2 share: DINO's image loss, and a patch loss on what only the teacher sees.

The papers and what differs from them stand in ``ibot`` and ``dinov2``.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder
from sslstudio.learning.methods.base import Method, StepResult, Views, full_precision
from sslstudio.learning.methods.likeness import of_images
from sslstudio.learning.methods.momentum import follow, rising_momentum
from sslstudio.learning.methods.self_distillation import (
    Head,
    Hidden,
    Targets,
    answer,
    hide,
    hold_prototypes,
    koleo,
    multi_crop,
    patch_loss,
    undecided,
    view_loss,
    warmed,
)
from sslstudio.recipes.methods.self_distillation import PatchDistillationSettings
from sslstudio.recipes.presets import Augmentation


class PatchDistillation(Method):
    """A ViT and a slow copy of it with ``heads`` heads each (images first, patches last); the copy is kept.

    ``balanced`` lets the teacher use all prototypes alike in place of centring it; ``spreading`` weighs KoLeo.
    """

    student: ViTEncoder
    encoder: ViTEncoder

    def __init__(
        self,
        encoder: Encoder,
        recipe: PatchDistillationSettings,
        *,
        resolution: int,
        look: Augmentation,
        heads: int,
        balanced: bool,
        spreading: float,
    ) -> None:
        super().__init__()
        if not isinstance(encoder, ViTEncoder):
            raise UserError(
                tr("The patches of “{name}” cannot be hidden.").format(name=encoder.name),
                tr("Choose a ViT backbone, or DINO."),
            )
        self.recipe, self.spreading = recipe, spreading
        self.student = encoder
        self.student_heads = nn.ModuleList(Head(encoder.width, recipe.prototypes) for _ in range(heads))
        self.mask_token = nn.Parameter(0.02 * torch.randn(encoder.width))
        self.encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.teacher_heads = copy.deepcopy(self.student_heads).requires_grad_(False)
        self.view_targets = Targets(recipe.prototypes, recipe.centre_momentum, balanced=balanced)
        self.patch_targets = Targets(recipe.prototypes, recipe.centre_momentum, balanced=balanced)
        self.views = multi_crop(look, resolution, encoder.stride, recipe.local_crops)
        self.side = self.views[0].size // encoder.stride

    def forward(self, views: Views) -> StepResult:
        """The image loss over all pairs of views, the patch loss within each large view, and KoLeo."""
        recipe, count = self.recipe, len(views[0])
        hidden = self._hide(count, views[0].device)
        with torch.no_grad():
            teacher = answer(self.encoder, self.teacher_heads, views[:1], hidden)
        student = answer(self.student, self.student_heads, views, hidden, self.mask_token)
        heat = warmed(recipe.temperature_start, recipe.teacher_temperature, recipe.temperature_warmup, self.position)
        with full_precision(views[0].device):
            target = self.view_targets(teacher.views, heat)
            image = view_loss(
                student.views.unflatten(0, (-1, count // 2)), target.unflatten(0, (2, -1)), recipe.student_temperature
            )
            wanted = self.patch_targets(teacher.patches, heat)
            patch = patch_loss(student.patches, wanted, hidden.weight, recipe.student_temperature)
            loss = image + recipe.patch_weight * patch
            if self.spreading > 0:
                loss = loss + self.spreading * koleo(student.features[: count // 2].float())
        figures = {"teacher_entropy": undecided(target), "image_loss": image.detach(), "patch_loss": patch.detach()}
        return StepResult(loss, {**figures, **of_images(target[: count // 2])})  # one view of each image

    def _hide(self, views: int, device: torch.device) -> Hidden:
        recipe, side = self.recipe, self.side
        low, high = sorted((recipe.mask_low, recipe.mask_high))
        return hide(views, side, side, chance=recipe.masked_views, low=low, high=high, device=device)

    def before_update(self) -> None:
        """Keep the prototypes still in the first share of the run."""
        if self.position.share < self.recipe.freeze_last:
            hold_prototypes(self.student_heads)

    def after_step(self) -> None:
        """Let the teacher follow, ever more slowly."""
        momentum = rising_momentum(self.recipe.momentum, self.position)
        follow(self.encoder, self.student, momentum)
        follow(self.teacher_heads, self.student_heads, momentum)
