"""Vision transformers whose positions are angles: EVA-02, DINOv3, the Perception Encoder and their kin."""

from __future__ import annotations

from typing import Any

import torch
from timm.layers import apply_rot_embed_cat
from torch import Tensor, nn

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import ViTEncoder


class RotaryViTEncoder(ViTEncoder):
    """timm's Eva networks; queries and keys of the patches are turned by their place in the grid."""

    def _turns(self, grid: tuple[int, int], keep: Tensor | None = None) -> list[Any]:
        """Angles for every block: (N, 2 d) alike for all, or (heads, N, 2 d) each; with ``keep`` per image."""
        depth = len(self.net.blocks)
        if self.net.rope is None:
            return [None] * depth
        angles = self.net.rope.get_embed(shape=list(grid))
        each = list(angles) if self.net.rope_mixed else [angles] * depth
        if keep is None:
            return each
        if self.net.rope_mixed:  # (heads, N, 2 d) to (B, heads, K, 2 d)
            return [turn[:, keep].transpose(0, 1) for turn in each]
        return [angles[keep].unsqueeze(1)] * depth  # (B, 1, K, 2 d)

    def _block(self, block: nn.Module, x: Tensor, turn: Any) -> Tensor:
        return block(x, rope=turn)

    def _weights(self, block: Any, x: Tensor, turn: Any) -> Tensor:
        """Attention of one block for the tokens (B, T, D) that enter it, (B, heads, T, T)."""
        attention = block.attn
        if not hasattr(attention, "qkv"):
            raise UserError(
                tr("“{name}” has blocks without attention maps.").format(name=self.name),
                tr("Choose another ViT backbone."),
            )
        post = type(block).__name__ == "EvaBlockPostNorm"
        query, key = _queries_and_keys(attention, x if post else block.norm1(x))
        if turn is not None:
            first, half = attention.num_prefix_tokens, getattr(attention, "rotate_half", False)
            query, key = (
                torch.cat([part[:, :, :first], apply_rot_embed_cat(part[:, :, first:], turn, half=half)], dim=2)
                for part in (query, key)
            )
        return ((query * attention.scale) @ key.transpose(-2, -1)).float().softmax(dim=-1)


def _queries_and_keys(attention: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """Queries and keys (B, heads, T, d), before they are turned, of tokens (B, T, D)."""
    batch, count, _ = x.shape
    if attention.qkv is not None:
        bias = attention.qkv.bias
        if getattr(attention, "q_bias", None) is not None:
            bias = torch.cat((attention.q_bias, attention.k_bias, attention.v_bias))
        both = nn.functional.linear(x, attention.qkv.weight, bias)
        both = both.reshape(batch, count, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
        query, key = both[0], both[1]
    else:
        query, key = (
            part(x).reshape(batch, count, attention.num_heads, -1).transpose(1, 2)
            for part in (attention.q_proj, attention.k_proj)
        )
    return attention.q_norm(query), attention.k_norm(key)
