"""How the positions of a new vision transformer begin."""

from __future__ import annotations

import torch

from sslstudio.learning.backbones.encoder import ViTEncoder
from sslstudio.learning.methods.heads import sin_cos_positions


def start_from_sines(encoder: ViTEncoder) -> None:
    """Set the position embeddings of the patches to sines and cosines: a method that hides patches needs places.

    Learned ones that begin as noise would first have to be told apart, which takes more steps than short runs have.
    """
    positions = encoder.net.pos_embed
    if positions is None:  # rotary positions are there from the start
        return
    rows, columns = encoder.net.patch_embed.grid_size
    with torch.no_grad():
        positions[0, positions.shape[1] - rows * columns :] = sin_cos_positions(rows, columns, encoder.width)
