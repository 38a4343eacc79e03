"""Tokenisers: quantisation against slow transcriptions, a codebook that stays in use, DALL-E's network, files."""

import math

import pytest
import torch
from safetensors.torch import save_file

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import MEAN, STD
from sslstudio.learning.methods.tokenisers import (
    DallETokeniser,
    VQTokeniser,
    gathered,
    load_tokeniser,
    map_pixels,
    nearest,
    perplexity,
    save_tokeniser,
    straight_through,
    vq_loss,
)


def stripes(images=8, size=32):
    """Pictures of stripes in a few grey values and widths, normalised."""
    line = torch.arange(size)
    found = []
    for number in range(images):
        wave = ((line // (2 + number % 3)) % 2).float() * (1 + number % 4)
        found.append(wave.expand(3, size, size) if number % 2 else wave[:, None].expand(3, size, size))
    return torch.stack(found) - 1


def train(tokeniser, images, steps=40, decay=0.8):
    optimiser = torch.optim.AdamW(tokeniser.parameters(), 2e-3)
    losses = []
    for _ in range(steps):
        loss, words = tokeniser(images, decay)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses, words


# the quantisation -------------------------------------------------------------------------------------------


def test_each_feature_gets_the_code_that_is_closest():
    features, codes = torch.randn(40, 5), torch.randn(7, 5)
    for row, word in zip(features, nearest(features, codes), strict=True):
        distances = [math.dist(row.tolist(), code.tolist()) for code in codes]
        assert distances[int(word)] == pytest.approx(min(distances), abs=1e-5)


def test_loss_is_the_squared_error_plus_a_quarter_of_the_distance_to_the_codes():
    painted, images = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    features, picked = torch.randn(2, 5, 2, 2), torch.randn(2, 5, 2, 2)
    error = [(a - b) ** 2 for a, b in zip(painted.flatten().tolist(), images.flatten().tolist(), strict=True)]
    apart = [(a - b) ** 2 for a, b in zip(features.flatten().tolist(), picked.flatten().tolist(), strict=True)]
    expected = sum(error) / len(error) + 0.25 * sum(apart) / len(apart)
    assert float(vq_loss(painted, images, features, picked)) == pytest.approx(expected, abs=1e-5)


def test_the_gradient_goes_past_the_codes_to_the_features():
    features = torch.randn(2, 5, requires_grad=True)
    picked = torch.randn(2, 5, requires_grad=True)
    out = straight_through(features, picked)
    assert torch.allclose(out, picked, atol=1e-6)
    (out * torch.arange(10.0).view(2, 5)).sum().backward()
    assert torch.equal(features.grad, torch.arange(10.0).view(2, 5))
    assert picked.grad is None


def test_features_are_counted_and_summed_per_code():
    features, words = torch.randn(30, 4), torch.randint(0, 5, (30,))
    count, total = gathered(features, words, 6)
    for code in range(6):
        mine = [row for row, word in zip(features.tolist(), words.tolist(), strict=True) if word == code]
        assert int(count[code]) == len(mine)
        sums = [sum(column) for column in zip(*mine, strict=True)] if mine else [0.0] * 4
        assert total[code].tolist() == pytest.approx(sums, abs=1e-5)


def test_codes_follow_as_moving_averages():
    tokeniser = VQTokeniser(3, 8)
    heaps = 9 * torch.eye(16)[:3].repeat(20, 1)  # three of the same size
    tokeniser.begin(heaps + torch.randn(60, 16))
    counts, sums = tokeniser.counts.clone(), tokeniser.sums.clone()
    new = heaps + torch.randn(60, 16)
    words = nearest(new, tokeniser.codebook)
    tokeniser._follow(new, words, 0.75)
    for code in range(3):
        mine = new[words == code]
        count = 0.75 * float(counts[code]) + 0.25 * len(mine)
        goal = (0.75 * sums[code] + 0.25 * mine.sum(0)) / count
        assert torch.allclose(tokeniser.codebook[code], goal, atol=1e-5)
        assert float(tokeniser.counts[code]) == pytest.approx(count, abs=1e-4)


def test_a_code_that_nobody_uses_begins_anew_at_a_patch():
    tokeniser = VQTokeniser(4, 8)
    flat = torch.randn(50, 16)
    tokeniser.begin(flat)
    with torch.no_grad():
        tokeniser.codebook[2] = 1000.0  # far from everything
        tokeniser.sums[2] = 1000.0 * tokeniser.counts[2]
    for _ in range(20):
        words = nearest(flat, tokeniser.codebook)
        tokeniser._follow(flat, words, 0.5)
    assert float(tokeniser.codebook[2].abs().max()) < 10
    assert (nearest(flat, tokeniser.codebook) == 2).any()


def test_perplexity_counts_the_words_in_use():
    assert float(perplexity(torch.ones(8))) == pytest.approx(8, abs=1e-4)
    assert float(perplexity(torch.tensor([3.0, 0, 0, 0]))) == pytest.approx(1, abs=1e-4)
    share = [0.5, 0.25, 0.25, 0.0]
    slow = math.exp(-sum(p * math.log(p) for p in share if p))
    assert float(perplexity(torch.tensor(share))) == pytest.approx(slow, abs=1e-4)


# learning ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("patch", [8, 14, 16])
def test_a_few_dozen_steps_make_words_that_mean_something(patch):
    images = stripes(size=4 * patch)
    tokeniser = VQTokeniser(16, patch)
    losses, words = train(tokeniser, images)
    assert losses[-1] < 0.6 * losses[0]
    assert words.shape == (8, 16)
    found = tokeniser.eval().tokens(images, 4, 4)
    assert float(perplexity(torch.bincount(found.flatten(), minlength=16).float())) > 3
    assert torch.equal(tokeniser.tokens(images, 4, 4), found)
    # Patches stay in row order: a change in one corner changes the words of that corner only.
    other = images.clone()
    other[:, :, -patch:, -patch:] = 9.0
    changed = (tokeniser.tokens(other, 4, 4) != found).any(0).view(4, 4)
    assert changed[3, 3]
    assert not changed[:2, :].any()
    assert not changed[:, :2].any()


def test_images_of_another_size_are_fitted_to_the_grid():
    tokeniser = VQTokeniser(16, 8)
    assert tokeniser.tokens(torch.randn(2, 3, 96, 96), 6, 6).shape == (2, 36)
    assert tokeniser.tokens(torch.randn(2, 3, 96, 64), 3, 2).shape == (2, 6)


def test_fewer_patches_than_codes_are_enough_to_begin():
    tokeniser = VQTokeniser(64, 16)
    loss, words = tokeniser(torch.randn(1, 3, 32, 32), 0.9)
    assert bool(loss.isfinite())
    assert words.shape == (1, 4)
    assert bool(tokeniser.codebook.isfinite().all())


# DALL-E -----------------------------------------------------------------------------------------------------


def dall_e_weights(hidden=8, codes=12, per_group=2):
    """Random weights under the published names."""
    found = {}

    def layer(name, into, out, side):
        found[f"{name}.w"] = torch.randn(out, into, side, side) / math.sqrt(into * side * side)
        found[f"{name}.b"] = torch.randn(out) * 0.1

    layer("blocks.input", 3, hidden, 7)
    width = hidden
    for group in (1, 2, 3, 4):
        out = hidden * 2 ** (group - 1)
        for block in range(1, per_group + 1):
            name = f"blocks.group_{group}.block_{block}"
            if width != out:
                layer(f"{name}.id_path", width, out, 1)
            sizes = [(width, out // 4, 3), (out // 4, out // 4, 3), (out // 4, out // 4, 3), (out // 4, out, 1)]
            for number, (a, b, side) in enumerate(sizes, start=1):
                layer(f"{name}.res_path.conv_{number}", a, b, side)
            width = out
    layer("blocks.output.conv", width, codes, 1)
    return found


def conv(x, weight, bias):
    """A convolution as sums over shifted pictures."""
    side = weight.shape[-1]
    half = side // 2
    padded = torch.nn.functional.pad(x, (half, half, half, half))
    out = bias.view(1, -1, 1, 1).expand(len(x), -1, *x.shape[2:]).clone()
    for dy in range(side):
        for dx in range(side):
            part = padded[:, :, dy : dy + x.shape[2], dx : dx + x.shape[3]]
            out += torch.einsum("bchw,oc->bohw", part, weight[:, :, dy, dx])
    return out


def slow_dall_e(weights, x, per_group):
    get = lambda name: (weights[f"blocks.{name}.w"], weights[f"blocks.{name}.b"])  # noqa: E731
    x = conv(x, *get("input"))
    for group in range(1, 5):
        for block in range(1, per_group + 1):
            name = f"group_{group}.block_{block}"
            inner = x
            for number in range(1, 5):
                inner = conv(inner.clamp(min=0), *get(f"{name}.res_path.conv_{number}"))
            past = conv(x, *get(f"{name}.id_path")) if f"blocks.{name}.id_path.w" in weights else x
            x = past + inner / (4 * per_group) ** 2
        if group < 4:
            batch, channels, height, width = x.shape
            x = x.reshape(batch, channels, height // 2, 2, width // 2, 2).amax((3, 5))
    return conv(x.clamp(min=0), *get("output.conv"))


@pytest.mark.parametrize("per_group", [1, 2])
def test_dall_e_scores_agree_with_a_slow_transcription(per_group):
    weights = dall_e_weights(per_group=per_group)
    tokeniser = DallETokeniser({key.removeprefix("blocks."): value for key, value in weights.items()})
    pixels = torch.rand(2, 3, 32, 24)
    expected = slow_dall_e(weights, pixels, per_group)
    assert expected.shape == (2, 12, 4, 3)
    assert torch.allclose(tokeniser.scores(pixels), expected, atol=1e-5)


def test_dall_e_gets_pixels_from_a_tenth_to_nine_tenths():
    assert map_pixels(torch.tensor([0.0, 0.5, 1.0])).tolist() == pytest.approx([0.1, 0.5, 0.9], abs=1e-6)


@pytest.mark.parametrize(("prefix", "suffix"), [("", ".safetensors"), ("encoder.", ".safetensors"), ("", ".pt")])
def test_dall_e_is_read_from_a_file(tmp_path, prefix, suffix):
    weights = dall_e_weights()
    file = tmp_path / f"encoder{suffix}"
    named = {prefix + key: value for key, value in weights.items()}
    save_file(named, file) if suffix == ".safetensors" else torch.save(named, file)
    tokeniser = load_tokeniser(file)
    assert isinstance(tokeniser, DallETokeniser)
    assert tokeniser.codes == 12
    assert tokeniser.state_dict() == {}  # hundreds of megabytes have no place in every checkpoint
    pixels = torch.rand(2, 3, 48, 48)
    images = (pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    expected = slow_dall_e(weights, 0.1 + 0.8 * pixels, 2).argmax(1).flatten(1)
    assert torch.equal(tokeniser.tokens(images, 6, 6), expected)
    assert tokeniser.tokens(images, 3, 3).shape == (2, 9)


# files ------------------------------------------------------------------------------------------------------


def test_our_own_tokeniser_says_the_same_after_a_file(tmp_path):
    tokeniser = VQTokeniser(16, 14)
    images = stripes(size=56)
    train(tokeniser, images, steps=5)
    save_tokeniser(tokeniser, tmp_path / "words.safetensors")
    loaded = load_tokeniser(tmp_path / "words.safetensors")
    assert (loaded.codes, loaded.patch) == (16, 14)
    assert torch.equal(loaded.tokens(images, 4, 4), tokeniser.tokens(images, 4, 4))


def test_what_is_no_tokeniser_is_refused_with_a_way_out(tmp_path):
    save_file({"net.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    save_tokeniser(VQTokeniser(16, 16), tmp_path / "fresh.safetensors")
    broken = dall_e_weights()
    del broken["blocks.group_3.block_2.res_path.conv_2.w"]
    save_file(broken, tmp_path / "broken.safetensors")
    (tmp_path / "text.safetensors").write_text("not one")
    for name, word in [
        ("other", "holds no tokeniser"),
        ("fresh", "has not been trained"),
        ("broken", "not whole"),
        ("text", "can be read"),
        ("absent", "There is no checkpoint"),
    ]:
        with pytest.raises(UserError, match=word) as error:
            load_tokeniser(tmp_path / f"{name}.safetensors")
        assert error.value.advice
