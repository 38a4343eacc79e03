"""BEiT: the loss, the masks, the tokeniser's share of the run, and that it then stands wholly still."""

import math

import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.beit import BEiT, beit_loss, hidden_places
from sslstudio.learning.methods.patch_masks import block_masks
from sslstudio.learning.methods.registry import create_method
from sslstudio.learning.methods.tokenisers import save_tokeniser
from sslstudio.learning.training.optimiser import make_optimiser
from sslstudio.recipes.methods import BEiTRecipe, Folder
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def made(resolution=64, **settings):
    recipe = BEiTRecipe(**{"codes": 16, **settings})
    return BEiT(create_encoder("test_vit"), recipe, resolution=resolution, look=LOOK)


def pictures(count=8, size=64):
    rows = torch.arange(size).float()
    found = [torch.sin(rows[None, :, None] / (3 + n)) * torch.cos(rows[None, None, :] / (9 - n)) for n in range(count)]
    return torch.stack(found).expand(-1, 3, -1, -1).contiguous()


def train(method, images, shares, optimiser=None):
    """Losses of one step per share of the run, by the optimiser of real runs."""
    optimiser = optimiser or make_optimiser(method, learning_rate=1e-3, weight_decay=0.05)
    losses = []
    for share in shares:
        method.position = Position(share, 100)
        loss = method((images,)).loss
        optimiser.zero_grad()
        loss.backward()
        method.before_update()
        optimiser.step()
        method.after_step()
        losses.append(loss.item())
    return losses


def copied(module):
    return {key: value.clone() for key, value in module.state_dict().items()}


def changed(module, before):
    return [key for key, value in module.state_dict().items() if not torch.equal(value, before[key])]


def test_loss_is_the_cross_entropy_of_the_hidden_words():
    scores, words = torch.randn(2, 3, 5), torch.randint(0, 5, (2, 3))
    total = 0.0
    for b in range(2):
        for m in range(3):
            row = scores[b, m].double().tolist()
            total -= row[int(words[b, m])] - math.log(sum(math.exp(v) for v in row))
    assert float(beit_loss(scores, words)) == pytest.approx(total / 6, abs=1e-5)


def test_hidden_places_are_those_of_the_mask_in_order():
    hidden = block_masks(5, 6, 6, 0.4)
    places = hidden_places(hidden, 14)
    for row, mask in zip(places.tolist(), hidden, strict=True):
        assert row == mask.nonzero().flatten().tolist()


def test_only_the_words_of_hidden_patches_are_asked_for():
    method = made(128)
    method.position = Position(0.5, 100)
    asked = []
    method.head.register_forward_hook(lambda _m, inputs, _o: asked.append(inputs[0].shape))
    seen = []
    tokens = method.encoder.tokens
    method.encoder.tokens = lambda *a, **kw: seen.append(kw["hidden"]) or tokens(*a, **kw)
    method((pictures(size=128),))
    assert asked == [(8, 26, method.encoder.width)]  # 40 % of 64
    assert seen[0].sum(1).tolist() == [26] * 8


def test_the_tokeniser_learns_first_and_then_stands_still():
    method = made(tokeniser_share=0.3)
    method.begin_from_scratch()
    optimiser = make_optimiser(method, learning_rate=1e-3, weight_decay=0.05)
    encoder, tokeniser, head = copied(method.encoder), copied(method.tokeniser), copied(method.head)
    train(method, pictures(), [0.0, 0.1, 0.2], optimiser)
    assert changed(method.encoder, encoder) == []
    assert changed(method.head, head) == []
    assert set(changed(method.tokeniser, tokeniser)) == set(tokeniser)
    assert not bool(method.settled)
    tokeniser = copied(method.tokeniser)
    train(method, pictures(), [0.3, 0.5, 0.9], optimiser)
    assert bool(method.settled)
    assert changed(method.tokeniser, tokeniser) == []  # neither by gradients nor by decay nor by moving averages
    assert len(changed(method.encoder, encoder)) == len(encoder)
    # More time for the same run takes its share back; the words keep their meaning.
    train(method, pictures(), [0.1], optimiser)
    assert changed(method.tokeniser, tokeniser) == []


def test_no_gradient_reaches_the_tokeniser_from_the_guesses():
    method = made()
    method.position = Position(0.5, 100)
    method((pictures(),)).loss.backward()
    assert all(p.grad is None for p in method.tokeniser.parameters())
    assert all(p.grad is not None for p in method.encoder.parameters())


def test_the_phase_survives_a_resume():
    method = made(tokeniser_share=0.3)
    train(method, pictures(), [0.0, 0.1, 0.5])
    other = made(tokeniser_share=0.3)
    assert other.tokeniser_learns
    other.load_state_dict(method.state_dict())
    other.position = Position(0.1, 1000)
    assert not other.tokeniser_learns
    assert torch.equal(other.tokeniser.tokens(pictures(), 4, 4), method.tokeniser.tokens(pictures(), 4, 4))


def test_beit_learns_the_words_of_a_few_pictures():
    method = made(mask_ratio=0.3)
    method.begin_from_scratch()
    figures = []
    forward = method.forward
    method.forward = lambda views: figures.append(r := forward(views)) or r
    words = train(method, pictures(), [n / 200 for n in range(40)])
    guesses = train(method, pictures(), [0.2 + n / 200 for n in range(120)])
    assert words[-1] < 0.7 * words[0]
    assert sum(guesses[-10:]) < 0.7 * sum(guesses[:10])
    first, last = figures[0].figures, figures[-1].figures
    assert {"tokeniser_loss", "codebook_perplexity", "codebook_collapsed"} == set(first)
    assert float(last["right_words"]) > 0.4
    assert 3 < float(last["codebook_perplexity"]) <= 16
    assert float(last["codebook_collapsed"]) == 0


def test_a_collapsed_vocabulary_is_told():
    method = made()
    train(method, pictures(), [0.0])
    with torch.no_grad():
        method.tokeniser.codebook[1:] = 1000.0  # far from every patch, so that all are called the first word
    method.position = Position(0.5, 100)
    for _ in range(30):
        result = method((pictures(),))
    assert float(result.figures["codebook_perplexity"]) < 2
    assert float(result.figures["codebook_collapsed"]) == 1


def test_a_vocabulary_from_a_file_is_used_from_the_first_step(tmp_path):
    earlier = made()
    train(earlier, pictures(), [0.0, 0.1])
    save_tokeniser(earlier.tokeniser, tmp_path / "words.safetensors")
    method = made(tokeniser=str(tmp_path / "words.safetensors"), codes=99)
    before = copied(method.tokeniser)
    assert method.head.out_features == 16
    train(method, pictures(), [0.0, 0.1])
    assert changed(method.tokeniser, before) == []
    assert torch.equal(method.tokeniser.tokens(pictures(), 4, 4), earlier.tokeniser.tokens(pictures(), 4, 4))


def test_the_vocabulary_is_fitted_to_the_folder():
    sizes = [
        {f.key: f.value for f in BEiTRecipe.fitted(Folder(n, 64, "cpu", 5, "natural", "vit"))}["codes"]
        for n in (10, 664, 4_000, 15_000, 60_000, 1_200_000)
    ]
    assert sizes == [256, 256, 512, 1024, 2048, 8192]


def test_a_convolutional_network_is_refused_with_a_way_out():
    with pytest.raises(UserError) as error:
        create_method(create_encoder("test_resnet"), BEiTRecipe(), resolution=64, look=LOOK)
    assert "BEiT cannot train “test_resnet”" in error.value.problem
    assert "SimCLR" in error.value.advice
