"""Which backbones a method can train, and what to say of the others."""

from __future__ import annotations

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder
from sslstudio.recipes.methods import METHODS

WELL_KNOWN = ("mae", "simclr", "dino")  # named where another method must be chosen


def check_pair(method_id: str, encoder: Encoder) -> None:
    """Raise UserError where a method cannot train this kind of backbone."""
    info = METHODS[method_id]
    if encoder.kind not in info.backbones:
        word = {"vit": tr("a ViT backbone"), "conv": tr("a convolutional backbone")}
        example = {"vit": "vit_tiny_patch16_224", "conv": "resnet18"}[info.backbones[0]]
        others = tr(" or ").join(METHODS[name].name for name in WELL_KNOWN if encoder.kind in METHODS[name].backbones)
        raise UserError(
            tr("{method} cannot train “{name}”, which is {kind}.").format(
                method=info.name, name=encoder.name, kind=word[encoder.kind]
            ),
            tr("What fits is {kind} (for example {example}), or {others} as method.").format(
                kind=word[info.backbones[0]], example=example, others=others
            ),
        )


def as_vit(method_id: str, encoder: Encoder) -> ViTEncoder:
    """The encoder of a method that hides patches, which a ViT alone has; UserError for any other."""
    check_pair(method_id, encoder)
    assert isinstance(encoder, ViTEncoder)  # its kind says so
    return encoder
