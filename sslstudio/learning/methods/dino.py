"""DINO: a student that sees small and large views matches a slow copy of itself that sees the large ones.

Source: Caron et al. 2021, https://arxiv.org/abs/2104.14294, section 3 (algorithm 1) and appendix C.
Differs from the paper: fewer prototypes and small crops, for small folders and processors; constant weight
decay and teacher temperature; in runs of few steps the teacher follows faster, since with the paper's
momentum it would still be the random network that it began as.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, ViewSpec, full_precision, nearest_multiple
from sslstudio.learning.methods.heads import UnitRows
from sslstudio.learning.methods.momentum import follow, rising_momentum
from sslstudio.recipes.methods import DINORecipe
from sslstudio.recipes.presets import Augmentation

HIDDEN, BOTTLENECK = 1024, 256


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
        with torch.no_grad():
            teacher = self.teacher_head(self.encoder(views[0])).float()  # (2B, K)
        student = torch.cat([self.student_head(self.student(view)).float() for view in views])  # (VB, K)
        with full_precision(teacher.device):
            loss = dino_loss(
                student.unflatten(0, (-1, len(teacher) // 2)),
                teacher.unflatten(0, (2, -1)),
                self.centre,
                student_temperature=self.recipe.student_temperature,
                teacher_temperature=self.recipe.teacher_temperature,
            )
            entropy = target_entropy(teacher, self.centre, self.recipe.teacher_temperature)
        if self.training:
            self.centre.lerp_(_mean_over_devices(teacher), 1 - self.recipe.centre_momentum)
        return StepResult(loss, {"teacher_entropy": entropy})

    def before_update(self) -> None:
        """Keep the last layer still in the first share of the run (appendix C: it steadies the start)."""
        if self.position.share < self.recipe.freeze_last:
            self.student_head.last.weight.grad = None

    def after_step(self) -> None:
        """Let the teacher follow, ever more slowly (section 3: cosine from the start value to 1)."""
        momentum = rising_momentum(self.recipe.momentum, self.position)
        follow(self.encoder, self.student, momentum)
        follow(self.teacher_head, self.student_head, momentum)


class Head(nn.Module):
    """Three linear layers, the unit sphere, and a last layer of unit rows: (B, width) to (B, prototypes)."""

    def __init__(self, width: int, prototypes: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(width, HIDDEN),
            nn.GELU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.GELU(),
            nn.Linear(HIDDEN, BOTTLENECK),
        )
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        self.last = UnitRows(BOTTLENECK, prototypes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the prototypes, each a cosine."""
        return self.last(F.normalize(self.mlp(x), dim=-1))


def multi_crop(look: Augmentation, resolution: int, stride: int, small: int) -> tuple[ViewSpec, ...]:
    """Two large views and ``small`` small ones (3/7 of the side, as 96 to 224); each kind its own area range."""
    border = min(0.6, max(0.25, look.crop_low))
    large = ViewSpec(nearest_multiple(resolution, stride), 2, (border, 1.0), replace(look, solarize=0.1))
    if not small:
        return (large,)
    low = min(0.05 if look.crop_low < 0.25 else 0.1, border)
    size = min(large.size, max(2 * stride, nearest_multiple(round(resolution * 3 / 7), stride)))
    return large, ViewSpec(size, small, (low, border), look)


def dino_loss(
    student: Tensor,
    teacher: Tensor,
    centre: Tensor,
    *,
    student_temperature: float,
    teacher_temperature: float,
) -> Tensor:
    """Mean cross-entropy between every teacher view and every other student view (equations 1 and 3).

    ``student`` is (V, B, K) with the large views first, ``teacher`` (T, B, K), ``centre`` (1, K); no gradient
    reaches the teacher.
    """
    target = ((teacher.detach() - centre) / teacher_temperature).softmax(dim=-1)
    guess = (student / student_temperature).log_softmax(dim=-1)
    pairs = -torch.einsum("tbk,vbk->tv", target, guess) / student.shape[1]  # (T, V)
    different = ~torch.eye(*pairs.shape, dtype=torch.bool, device=pairs.device)
    return pairs[different].mean()


def target_entropy(teacher: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """How undecided the teacher is: the mean entropy of its targets for (N, K) scores as a share (0 to 1) of log K.

    0 means that each view gets one prototype for certain, 1 that the teacher says nothing (section 5.3).
    """
    target = ((teacher.detach() - centre) / temperature).log_softmax(dim=-1)
    return -(target.exp() * target).sum(dim=-1).mean() / math.log(max(2, teacher.shape[-1]))


def _mean_over_devices(teacher: Tensor) -> Tensor:
    """The mean score per prototype (1, K) over all images of all devices."""
    mean = teacher.mean(dim=0, keepdim=True)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(mean)
        mean /= torch.distributed.get_world_size()
    return mean
