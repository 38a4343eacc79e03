"""What learns: the model, its averaged copy, the optimiser, and which parts are frozen."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.segmentation.crops import Batch, normalised, recoloured
from sslstudio.learning.segmentation.losses import segmentation_loss
from sslstudio.learning.segmentation.model import SegmentationModel
from sslstudio.learning.training.devices import has_bf16, no_room, with_room
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.presets import PRESETS

_CLIP = 1.0  # longest gradient; one odd crop must not throw a run of some hundred steps off course
_AVERAGE = 0.99  # the averaged weights follow with a memory of about 100 steps


def make_accelerator() -> Accelerator:
    """An accelerator as in pretraining, but content with parts of the model that get no gradient."""
    cpu = not torch.cuda.is_available() and not torch.backends.mps.is_available()
    return Accelerator(
        mixed_precision="bf16" if has_bf16() else "no",
        cpu=cpu,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )


class Learner:
    """One model in training; ``average`` is the copy with averaged weights that is measured and kept."""

    def __init__(
        self, model: SegmentationModel, weights: Tensor, recipe: FinetuneRecipe, accelerator: Accelerator
    ) -> None:
        self.recipe, self.accelerator = recipe, accelerator
        device = accelerator.device
        self.model = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.weights = weights.to(device)
        self.look = PRESETS[recipe.preset].augmentation
        self.noise = torch.Generator().manual_seed(recipe.seed)
        self.steps = 0
        self.pieces, self.out_of_memory = 1, False
        self.unfrozen = -1
        self.wrapped: nn.Module = self.model
        self.optimiser: Any = None

    def unfreeze(self, blocks: int, backbone_rate: float) -> None:
        """Let the decoder and the last ``blocks`` blocks of the encoder learn; the optimiser is built anew."""
        if blocks == self.unfrozen:
            return
        self.unfrozen = blocks
        parts = self.model.encoder.blocks()
        chosen = parts[max(len(parts) - blocks, 0) :] if blocks else []
        self.model.encoder.requires_grad_(blocks >= len(parts))
        for part in chosen:
            part.requires_grad_(True)
        self._chosen = chosen
        groups = _groups(self.model.decoder, 1.0, self.recipe) + _groups(self.model.encoder, backbone_rate, self.recipe)
        optimiser = torch.optim.AdamW(
            [g for g in groups if g["params"]], lr=self.recipe.learning_rate, betas=(0.9, 0.99), fused=True
        )
        self.accelerator.free_memory()
        self.wrapped, self.optimiser = self.accelerator.prepare(self.model, optimiser)

    def _set_modes(self) -> None:
        """Frozen parts keep their statistics too: only what learns is in training mode."""
        self.model.train()
        self.model.encoder.eval()
        if self.unfrozen >= len(self.model.encoder.blocks()):
            self.model.encoder.train()
        for part in self._chosen:
            part.train()

    def step(self, batch: Batch, rate: float) -> float:
        """Learn from one batch at ``rate`` (0 to 1) of the recipe's learning rate; the loss.

        Where memory runs out the batch is divided and tried again.
        """
        self._set_modes()
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * group["share"] * rate
        return with_room(lambda: self._update(batch), lambda: self._divide(len(batch.images)), self.optimiser)

    def _divide(self, crops: int) -> None:
        self.pieces *= 2
        self.out_of_memory = True
        if self.accelerator.num_processes > 1 or self.pieces > crops:
            raise no_room()

    def _update(self, batch: Batch) -> float:
        device, value = self.accelerator.device, 0.0
        pieces = min(self.pieces, len(batch.images))
        for pixels, labels in zip(batch.images.tensor_split(pieces), batch.labels.tensor_split(pieces), strict=True):
            images = recoloured(pixels.to(device), self.look, self.noise)
            images = normalised(images).contiguous(memory_format=torch.channels_last)
            with self.accelerator.autocast():
                logits = self.wrapped(images)
            part = len(pixels) / len(batch.images)
            loss = segmentation_loss(logits, labels.to(device), self.weights, self.recipe.dice) * part
            value += float(loss.detach())
            if not math.isfinite(value):
                raise _not_a_number(self.steps)
            self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.wrapped.parameters(), _CLIP)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.steps += 1
        self._follow()
        return value

    def check(self) -> None:
        """Raise UserError if the weights are no longer numbers, so that a good state is never replaced."""
        norms = torch._foreach_norm(list(self.model.parameters()))
        if not bool(torch.stack(norms).isfinite().all()):
            raise _not_a_number(self.steps)

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged copy towards the model; fast at first, so that it forgets the start."""
        pace = 1 - min(_AVERAGE, (1 + self.steps) / (10 + self.steps))
        ours, theirs = self.average.state_dict(), self.model.state_dict()
        floats = [k for k, v in ours.items() if v.is_floating_point()]
        torch._foreach_lerp_([ours[k] for k in floats], [theirs[k] for k in floats], pace)
        for key in ours.keys() - set(floats):
            ours[key].copy_(theirs[key])

    def state(self) -> dict[str, Any]:
        """All that resuming needs."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "noise": self.noise.get_state(),
            "steps": self.steps,
            "unfrozen": self.unfrozen,
        }

    def load_state(self, state: dict[str, Any], backbone_rate: float) -> None:
        """Go on from what ``state()`` gave."""
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.unfreeze(state["unfrozen"], backbone_rate)
        self.optimiser.load_state_dict(state["optimiser"])
        self.noise.set_state(state["noise"])
        self.steps = state["steps"]


def _not_a_number(step: int) -> UserError:
    return UserError(
        tr("Training stopped at step {step}: the loss is no longer a number.").format(step=step),
        tr("Lower the learning rate and start again; a model that there was before is kept."),
    )


def _groups(module: nn.Module, share: float, recipe: FinetuneRecipe) -> list[dict[str, Any]]:
    """Two parameter groups: weights decay, norms and biases do not; ``share`` of the learning rate."""
    learning = [p for p in module.parameters() if p.requires_grad]
    weights = [p for p in learning if p.ndim > 1]
    others = [p for p in learning if p.ndim <= 1]
    return [
        {"params": weights, "weight_decay": recipe.weight_decay, "share": share},
        {"params": others, "weight_decay": 0.0, "share": share},
    ]
