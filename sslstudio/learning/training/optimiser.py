"""AdamW with weight decay on matrices only."""

from __future__ import annotations

import torch
from torch import nn


def make_optimiser(module: nn.Module, *, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over what may be trained; biases, norms, tokens and positions do not decay."""
    decaying: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        special = name.endswith(("pos_embed", "cls_token", "reg_token", "mask_token"))
        (free if parameter.dim() < 2 or special else decaying).append(parameter)
    groups = [{"params": decaying, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
    # Fused kernels update all weights in one pass over memory, on CUDA as on CPUs.
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=learning_rate, betas=(0.9, 0.95), fused=True)
