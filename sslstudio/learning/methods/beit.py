"""BEiT: find a vocabulary of patches, then hide blocks of an image and guess the words beneath.

Source: Bao et al. 2021, https://arxiv.org/abs/2106.08254, sections 2.1 to 2.3 (loss: equation 2; masks: algorithm 1).
Differs from the paper: the tokeniser is trained on the folder itself in the first share of the run and then stands
still; it is a vector-quantised autoencoder (see ``tokenisers.py`` for why), DALL-E's only where its file is given;
fewer words, for small folders; exactly 40 % of the patches are hidden (at least 40 % in the paper); a plain ViT with
learnable positions that start as sines and cosines, in place of relative ones; the backbone has no warm-up of its
own, since the run's is over when it begins; crops and colours follow the domain preset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder
from sslstudio.learning.methods.base import Method, StepResult, Views, ViewSpec, full_precision, nearest_multiple
from sslstudio.learning.methods.momentum import steady_momentum
from sslstudio.learning.methods.pairs import as_vit
from sslstudio.learning.methods.patch_masks import block_masks, some_but_not_all
from sslstudio.learning.methods.positions import start_from_sines
from sslstudio.learning.methods.tokenisers import VQTokeniser, load_tokeniser, perplexity
from sslstudio.recipes.methods import BEiTRecipe
from sslstudio.recipes.presets import Augmentation

CODEBOOK_DECAY = 0.99  # of the codes' moving averages in long runs
USE_DECAY = 0.9
COLLAPSED = 0.02  # of the words in use: the tokeniser says the same of nearly everything


class BEiT(Method):
    """First the tokeniser learns, then it stands still and the encoder guesses the words of hidden patches."""

    encoder: ViTEncoder
    settled: Tensor
    use: Tensor

    def __init__(self, encoder: Encoder, recipe: BEiTRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder = as_vit("beit", encoder)
        size = max(2 * encoder.stride, nearest_multiple(resolution, encoder.stride))
        self.side = size // encoder.stride
        self.mask_ratio = some_but_not_all(recipe.mask_ratio, self.side**2)
        self.tokeniser_share = recipe.tokeniser_share
        still = replace(look, grey=0.0, blur=0.0, solarize=0.0, noise=0.0)
        self.views = (ViewSpec(size, 1, (look.crop_low, 1.0), still),)
        given = Path(recipe.tokeniser).expanduser() if recipe.tokeniser else None
        self.tokeniser = load_tokeniser(given) if given else VQTokeniser(recipe.codes, encoder.stride, encoder.channels)
        if given:
            _check_channels(self.tokeniser.channels, encoder.channels)
            self.tokeniser.requires_grad_(False)
        # Whether the tokeniser stands still; kept, because a run that gets more time goes back in its share.
        self.register_buffer("settled", torch.tensor(given is not None))
        self.register_buffer("use", torch.zeros(self.tokeniser.codes))  # moving shares of the words
        self.mask_token = nn.Parameter(torch.empty(encoder.width))
        nn.init.trunc_normal_(self.mask_token, std=0.02)
        self.head = nn.Linear(encoder.width, self.tokeniser.codes)
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self._known_settled: bool | None = None
        self.register_load_state_dict_post_hook(_forget)

    def begin_from_scratch(self) -> None:
        """Give the encoder places to begin with."""
        start_from_sines(self.encoder)

    @property
    def tokeniser_learns(self) -> bool:
        """Whether the run is still in the tokeniser's share."""
        if self._known_settled is None:
            self._known_settled = bool(self.settled)
        return not self._known_settled and self.position.share < self.tokeniser_share

    def forward(self, views: Views) -> StepResult:
        """A step of the tokeniser or, later, of the encoder; ``views`` holds one (B, 3, H, W)."""
        if isinstance(self.tokeniser, VQTokeniser) and self.tokeniser_learns:
            return self._learn_words(self.tokeniser, views[0])
        if not self._known_settled:
            self.settled.fill_(True)
            self._known_settled = True
        return self._guess_words(views[0])

    def _learn_words(self, tokeniser: VQTokeniser, images: Tensor) -> StepResult:
        steps = round(self.position.expected_steps * self.tokeniser_share)
        loss, words = tokeniser(images, steady_momentum(CODEBOOK_DECAY, steps))
        loss = loss + self._idle([*self.encoder.parameters(), *self.head.parameters(), self.mask_token])
        return StepResult(loss, self._figures(words, tokeniser_loss=loss))

    def _guess_words(self, images: Tensor) -> StepResult:
        words = self.tokeniser.tokens(images, self.side, self.side)  # (B, N)
        hidden = block_masks(len(images), self.side, self.side, self.mask_ratio, device=images.device)
        tokens = self.encoder.tokens(images, hidden=hidden, stand_in=self.mask_token)
        tokens = tokens[:, tokens.shape[1] - hidden.shape[1] :]
        places = hidden_places(hidden, round(self.mask_ratio * self.side**2))  # (B, M)
        scores = self.head(tokens.gather(1, places[..., None].expand(-1, -1, tokens.shape[-1])))  # (B, M, K)
        goal = words.gather(1, places)
        with full_precision(images.device):
            loss = beit_loss(scores.float(), goal) + self._idle(list(self.tokeniser.parameters()))
        right = (scores.argmax(-1) == goal).float().mean()
        return StepResult(loss, self._figures(words, right_words=right))

    def before_update(self) -> None:
        """Whatever has no part in this step stands wholly still: no gradient, no decay."""
        for parameter in self._still():
            parameter.grad = None

    def _still(self) -> Iterator[nn.Parameter]:
        if self.tokeniser_learns:
            yield from (*self.encoder.parameters(), *self.head.parameters(), self.mask_token)
        else:
            yield from self.tokeniser.parameters()

    def _idle(self, parameters: list[nn.Parameter]) -> Tensor | float:
        """Nothing, in which all parameters have a part: several devices wait for the gradients of all."""
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return 0.0
        return 0.0 * sum((p.sum() for p in parameters if p.requires_grad), torch.zeros((), device=self.use.device))

    @torch.no_grad()
    def _figures(self, words: Tensor, **values: Tensor) -> dict[str, float | Tensor]:
        """The given figures, and how much of the vocabulary is in use; ``codebook_collapsed`` is 1 as a warning."""
        share = torch.bincount(words.flatten(), minlength=len(self.use)).float() / words.numel()
        # While the words still change their meaning, and at the first look, only this batch counts.
        fresh = (self.use.sum() == 0) | self.tokeniser_learns
        self.use.copy_(torch.where(fresh, share, self.use.lerp(share, 1 - USE_DECAY)))
        used = perplexity(self.use)
        collapsed = (used < max(2.0, COLLAPSED * len(self.use))).float()
        found: dict[str, float | Tensor] = {"codebook_perplexity": used, "codebook_collapsed": collapsed}
        return found | {key: value.detach() for key, value in values.items()}


def _check_channels(tokeniser: int, encoder: int) -> None:
    if tokeniser != encoder:
        raise UserError(
            tr("The tokeniser is made for images with {tokeniser} channels, and these have {encoder}.").format(
                tokeniser=tokeniser, encoder=encoder
            ),
            tr("Leave the setting “Tokeniser” empty: then the run makes its own."),
        )


def _forget(method: nn.Module, _keys: Any) -> None:
    """After a checkpoint is loaded, its word counts on whether the tokeniser stands still."""
    if isinstance(method, BEiT):
        method._known_settled = None


def hidden_places(hidden: Tensor, count: int) -> Tensor:
    """The numbers (B, count) of the true places of (B, N), in patch order; each row has ``count`` of them."""
    return hidden.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :count]


def beit_loss(scores: Tensor, words: Tensor) -> Tensor:
    """Mean cross-entropy of the words (B, M) of hidden patches under scores (B, M, K) (equation 2, negated)."""
    return F.cross_entropy(scores.flatten(0, 1), words.flatten())
