"""DINO: a student that sees small and large views matches a slow copy of itself that sees the large ones.

Source: Caron et al. 2021, https://arxiv.org/abs/2104.14294, section 3 (algorithm 1) and appendix C.
Differs from the paper: fewer prototypes and small crops, for small folders and processors; constant weight
decay; a constant teacher temperature unless its warm-up is asked for; in runs of few steps the teacher follows
faster, since with the paper's momentum it would still be the random network that it began as.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, full_precision
from sslstudio.learning.methods.likeness import of_images
from sslstudio.learning.methods.momentum import follow, rising_momentum
from sslstudio.learning.methods.self_distillation import (
    Head,
    centred,
    hold_prototypes,
    move_centre,
    multi_crop,
    undecided,
    view_loss,
    warmed,
)
from sslstudio.recipes.methods import DINORecipe
from sslstudio.recipes.presets import Augmentation


class DINO(Method):
    """Student and teacher with one head each; ``encoder`` is the teacher's, which the paper found better."""

    student: Encoder
    centre: Tensor

    def __init__(self, encoder: Encoder, recipe: DINORecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.recipe = recipe
        self.student = encoder
        self.student_head = Head(encoder.width, recipe.prototypes)
        self.encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.teacher_head = copy.deepcopy(self.student_head).requires_grad_(False)
        self.register_buffer("centre", torch.zeros(1, recipe.prototypes))
        self.views = multi_crop(look, resolution, encoder.stride, recipe.local_crops)

    def forward(self, views: Views) -> StepResult:
        """Compare all student views with the teacher's large ones; each size is one batch."""
        recipe = self.recipe
        with torch.no_grad():
            teacher = self.teacher_head(self.encoder(views[0])).float()  # (2B, K)
        student = torch.cat([self.student_head(self.student(view)).float() for view in views])  # (VB, K)
        temperature = warmed(
            recipe.temperature_start, recipe.teacher_temperature, recipe.temperature_warmup, self.position
        )
        with full_precision(teacher.device):
            target = centred(teacher, self.centre, temperature)
            loss = view_loss(
                student.unflatten(0, (-1, len(teacher) // 2)), target.unflatten(0, (2, -1)), recipe.student_temperature
            )
        if self.training:
            move_centre(self.centre, teacher, recipe.centre_momentum)
        first = target[: len(target) // 2]  # one view of each image
        return StepResult(loss, {"teacher_entropy": undecided(target), **of_images(first)})

    def before_update(self) -> None:
        """Keep the last layer still in the first share of the run (appendix C: it steadies the start)."""
        if self.position.share < self.recipe.freeze_last:
            hold_prototypes([self.student_head])

    def after_step(self) -> None:
        """Let the teacher follow, ever more slowly (section 3: cosine from the start value to 1)."""
        momentum = rising_momentum(self.recipe.momentum, self.position)
        follow(self.encoder, self.student, momentum)
        follow(self.teacher_head, self.student_head, momentum)
