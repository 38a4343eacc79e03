"""Tokenisers: what turns each patch of a picture into one word of a small vocabulary, for BEiT.

Our own is a discrete autoencoder with vector quantisation (van den Oord et al. 2017, https://arxiv.org/abs/1711.00937,
equations 1 to 3 and appendix A.1: the codebook follows by moving averages), trained on the folder in few steps.
Differs from that paper for it: codes begin as the k-means of the first batch, and a code that is hardly used begins
anew at a patch of the present batch (Dhariwal et al. 2020, https://arxiv.org/abs/2005.00341, section 3.1). A
Gumbel-softmax, which BEiT's authors used, needs thousands of steps until its temperature may be low.
The other is the encoder of DALL-E's dVAE (Ramesh et al. 2021, https://arxiv.org/abs/2102.12092, appendix A), whose
published weights are read from a file.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.learning.backbones.checkpoints import read_tensors, save_tensors
from sslstudio.learning.backbones.encoder import MEAN, STD
from sslstudio.learning.methods.base import full_precision

WIDTH, CODE_WIDTH = 128, 16
COMMITMENT = 0.25  # weight of the second term (section 3.2 of the paper)
RARE = 0.1  # of its fair share of the patches: a code used less begins anew
KMEANS_ROUNDS = 5
LAPLACE_EPS = 0.1  # DALL-E, appendix A.3: how far pixels stay from 0 and 1
STATE = "state.safetensors"


class Tokeniser(nn.Module, ABC):
    """One of ``codes`` words per patch, each ``patch`` pixels wide."""

    codes: int
    patch: int
    channels: int = 3  # of the images

    def tokens(self, images: Tensor, rows: int, columns: int) -> Tensor:
        """Words (B, rows * columns) of normalised images (B, C, H, W), which are resized to the grid; no gradient."""
        size = (rows * self.patch, columns * self.patch)
        with torch.no_grad(), full_precision(images.device):
            images = images.float()
            if images.shape[-2:] != size:
                images = F.interpolate(images, size=size, mode="bicubic", antialias=True, align_corners=False)
            return self._words(images)

    @abstractmethod
    def _words(self, images: Tensor) -> Tensor:
        """Words (B, N) of images that already have the right size."""


class VQTokeniser(Tokeniser):
    """An autoencoder whose middle is one of ``codes`` vectors per patch; made to be trained in a few dozen steps."""

    codebook: Tensor
    counts: Tensor
    sums: Tensor
    begun: Tensor

    def __init__(self, codes: int, patch: int, channels: int = 3) -> None:
        super().__init__()
        self.codes, self.patch, self.channels = codes, patch, channels
        self.encoder = _encoder(patch, channels)
        self.decoder = nn.Sequential(
            nn.Conv2d(CODE_WIDTH, WIDTH, 1),
            nn.GELU(),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(WIDTH, channels * patch * patch, 1),
            nn.PixelShuffle(patch),
        )
        self.register_buffer("codebook", torch.zeros(codes, CODE_WIDTH))
        self.register_buffer("counts", torch.zeros(codes))  # moving averages (appendix A.1)
        self.register_buffer("sums", torch.zeros(codes, CODE_WIDTH))
        self.register_buffer("begun", torch.zeros((), dtype=torch.bool))

    def forward(self, images: Tensor, decay: float) -> tuple[Tensor, Tensor]:
        """One step of learning: the loss, and the words (B, N); the codebook follows with ``decay``."""
        features = self.encoder(images).float()  # (B, D, h, w)
        flat = features.permute(0, 2, 3, 1).flatten(0, 2)  # (n, D)
        with full_precision(images.device):
            self.begin(flat.detach())
            words = nearest(flat.detach(), self.codebook)
            codes = self.codebook[words]
            if self.training:
                self._follow(flat.detach(), words, decay)
            picked = codes.view(len(images), *features.shape[2:], -1).permute(0, 3, 1, 2)
        painted = self.decoder(straight_through(features, picked)).float()
        with full_precision(images.device):
            return vq_loss(painted, images.float(), features, picked), words.view(len(images), -1)

    def _words(self, images: Tensor) -> Tensor:
        flat = self.encoder(images).permute(0, 2, 3, 1).flatten(0, 2)
        self.begin(flat)
        return nearest(flat, self.codebook).view(len(images), -1)

    @torch.no_grad()
    def begin(self, flat: Tensor) -> None:
        """Set the codes to the k-means of features (n, D), once."""
        if bool(self.begun):
            return
        codes = _some(flat, self.codes)
        for _ in range(KMEANS_ROUNDS):
            count, total = gathered(flat, nearest(flat, codes), self.codes)
            codes = torch.where((count > 0)[:, None], total / count.clamp(min=1)[:, None], codes)
        count, _ = gathered(flat, nearest(flat, codes), self.codes)
        self._set(codes, count)
        self.begun.fill_(True)

    @torch.no_grad()
    def _follow(self, flat: Tensor, words: Tensor, decay: float) -> None:
        """Move every code towards the mean of its patches; let those that are hardly used begin anew."""
        count, total = gathered(flat, words, self.codes)
        self.counts.lerp_(count, 1 - decay)
        self.sums.lerp_(total, 1 - decay)
        fair = self.counts.sum() / self.codes
        rare = self.counts < RARE * fair
        codes = torch.where(rare[:, None], _some(flat, self.codes), self.sums / self.counts.clamp(min=1e-9)[:, None])
        self._set(codes, torch.where(rare, fair, self.counts))

    def _set(self, codes: Tensor, counts: Tensor) -> None:
        self.codebook.copy_(codes)
        self.counts.copy_(counts)
        self.sums.copy_(codes * counts[:, None])


def _encoder(patch: int, channels: int) -> nn.Sequential:
    """Strided layers that shrink by ``patch`` in all, one look at the neighbours, and a narrow end."""
    layers: list[nn.Module] = []
    width = channels
    for number, factor in enumerate(_factors(patch)):
        wide = WIDTH // 2 if number == 0 else WIDTH
        layers += [nn.Conv2d(width, wide, factor, stride=factor), nn.GELU()]
        width = wide
    layers += [nn.Conv2d(width, WIDTH, 3, padding=1), nn.GELU(), nn.Conv2d(WIDTH, CODE_WIDTH, 1)]
    return nn.Sequential(*layers)


def _factors(number: int) -> list[int]:
    """Factors of ``number``, fours first, then primes: 16 is 4 x 4, 14 is 2 x 7."""
    found = []
    for factor in (4, 2, *range(3, number + 1, 2)):
        while number % factor == 0:
            found.append(factor)
            number //= factor
    return found or [1]


def nearest(features: Tensor, codes: Tensor) -> Tensor:
    """For each of (n, D) the number of the closest of (K, D), (n,) (equation 1)."""
    return (codes.square().sum(1) - 2 * features @ codes.T).argmin(dim=1)


def straight_through(features: Tensor, picked: Tensor) -> Tensor:
    """The value of ``picked`` with the gradient of ``features`` (section 3.2)."""
    return features + (picked - features).detach()


def vq_loss(painted: Tensor, images: Tensor, features: Tensor, picked: Tensor) -> Tensor:
    """Squared error of the picture, plus how far features are from their codes (equation 3 without its second term).

    The second term moves the codes; here moving averages do that (appendix A.1).
    """
    return F.mse_loss(painted, images) + COMMITMENT * F.mse_loss(features, picked.detach())


def gathered(features: Tensor, words: Tensor, codes: int) -> tuple[Tensor, Tensor]:
    """How many of the features (n, D) each code has (K,), and their sum (K, D), over all devices."""
    count = torch.bincount(words, minlength=codes).to(features.dtype)
    total = torch.zeros(codes, features.shape[1], dtype=features.dtype, device=features.device)
    total.index_add_(0, words, features)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(count)
        torch.distributed.all_reduce(total)
    return count, total


def _some(features: Tensor, count: int) -> Tensor:
    """``count`` random rows of (n, D), each at most once where there are enough."""
    order = torch.cat([torch.randperm(len(features)) for _ in range(math.ceil(count / len(features)))])
    return features[order[:count].to(features.device)]


def perplexity(share: Tensor) -> Tensor:
    """How many words are in use, were all used alike: 1 to K, for the shares (K,) of the words."""
    share = share / share.sum().clamp(min=1e-9)
    return torch.exp(-(share * share.clamp(min=1e-9).log()).sum())


# DALL-E ---------------------------------------------------------------------------------------------


class DallETokeniser(Tokeniser):
    """The encoder of DALL-E's dVAE: 8 x 8 pixels become one of 8,192 words. Never trained, never saved.

    Four groups of residual blocks, each group after the first at half the size; sizes are read from the weights.
    """

    patch = 8

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self._per_group = sum(bool(re.fullmatch(r"group_1\.block_\d+\.res_path\.conv_1\.w", key)) for key in weights)
        self._gain = 1 / (4 * self._per_group) ** 2  # of the residual path: one over the squared number of blocks
        for key, value in weights.items():
            self.register_buffer(key.replace(".", "-"), value.float(), persistent=False)
        self.codes = len(weights["output.conv.w"])

    def _words(self, images: Tensor) -> Tensor:
        mean, std = images.new_tensor(MEAN).view(3, 1, 1), images.new_tensor(STD).view(3, 1, 1)
        return self.scores(map_pixels((images * std + mean).clamp(0, 1))).argmax(dim=1).flatten(1)

    def scores(self, pixels: Tensor) -> Tensor:
        """Scores of the words (B, codes, H/8, W/8) for mapped pixels (B, 3, H, W)."""
        x = self._conv(pixels, "input")
        for group in (1, 2, 3, 4):
            if group > 1:
                x = F.max_pool2d(x, 2)
            for block in range(1, self._per_group + 1):
                x = self._block(x, f"group_{group}.block_{block}")
        return self._conv(x.relu(), "output.conv")

    def _block(self, x: Tensor, name: str) -> Tensor:
        """The way past the block, narrowed or widened where it must be, plus a little of four layers."""
        inside = x
        for number in (1, 2, 3, 4):
            inside = self._conv(inside.relu(), f"{name}.res_path.conv_{number}")
        past = self._conv(x, f"{name}.id_path") if self._has(f"{name}.id_path.w") else x
        return past + self._gain * inside

    def _has(self, key: str) -> bool:
        return key.replace(".", "-") in self._buffers

    def _conv(self, x: Tensor, name: str) -> Tensor:
        name = name.replace(".", "-")
        weight, bias = self.get_buffer(f"{name}-w"), self.get_buffer(f"{name}-b")
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)


def map_pixels(pixels: Tensor) -> Tensor:
    """Pixels 0 to 1 as DALL-E's dVAE wants them: 0.1 to 0.9 (appendix A.3, the logit-Laplace distribution)."""
    return (1 - 2 * LAPLACE_EPS) * pixels + LAPLACE_EPS


# files ----------------------------------------------------------------------------------------------


def save_tokeniser(tokeniser: VQTokeniser, file: Path) -> None:
    """Write a trained tokeniser as safetensors."""
    save_tensors({f"tokeniser.{key}": value for key, value in tokeniser.state_dict().items()}, file)


def load_tokeniser(path: Path) -> Tokeniser:
    """A trained tokeniser from an earlier BEiT run, from a file, or from DALL-E's dVAE encoder.

    A run is named by its folder, its checkpoint's folder or its ``state.safetensors``. Raises UserError for
    anything else.
    """
    file = _inside(path)
    tensors = read_tensors(file)
    for key in tensors:
        if key.endswith("codebook"):
            return _own(tensors, key.removesuffix("codebook"), file)
        if key.endswith("blocks.input.w"):
            return _dall_e(tensors, key.removesuffix("input.w"), file)
    raise UserError(
        f"{file.name} holds no tokeniser.",
        "Choose the folder of an earlier BEiT run or DALL-E's dVAE encoder, or leave the setting empty.",
    )


def _inside(path: Path) -> Path:
    for inner in (path / STATE, path / "last" / STATE, path / "checkpoints" / "last" / STATE):
        if inner.is_file():
            return inner
    return path


def _own(tensors: dict[str, Tensor], prefix: str, file: Path) -> VQTokeniser:
    state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    try:
        channels = state["encoder.0.weight"].shape[1]
        patch = math.isqrt(len(state["decoder.4.weight"]) // channels)
        tokeniser = VQTokeniser(len(state["codebook"]), patch, channels)
        tokeniser.load_state_dict(state)
    except (KeyError, RuntimeError):
        raise _unfit(file, "is of another version or not whole") from None
    if not bool(tokeniser.begun):
        raise _unfit(file, "has not been trained")
    return tokeniser


def _dall_e(tensors: dict[str, Tensor], prefix: str, file: Path) -> DallETokeniser:
    weights = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    try:
        tokeniser = DallETokeniser(weights)
        tokeniser.tokens(torch.zeros(1, 3, 16, 16), 2, 2)
    except (KeyError, AttributeError, RuntimeError, ZeroDivisionError):
        raise _unfit(file, "is not the encoder of DALL-E's dVAE, or not whole") from None
    return tokeniser


def _unfit(file: Path, why: str) -> UserError:
    return UserError(f"The tokeniser in {file.name} {why}.", "Choose another file, or leave the setting empty.")
