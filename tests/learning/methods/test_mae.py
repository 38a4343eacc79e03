"""MAE: the loss against a slow transcription, the masks, and the way back to patch order."""

import math

import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.mae import MAE, mae_loss, patchify, random_masking, unpatchify
from sslstudio.learning.methods.registry import create_method
from sslstudio.recipes.methods import MAERecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def test_mae_loss_is_the_squared_error_of_hidden_patches_with_their_own_contrast_removed():
    prediction, target = torch.randn(2, 4, 6), torch.randn(2, 4, 6) * 3 + 1
    hidden = torch.tensor([[1.0, 0, 1, 0], [0, 0, 1, 1]])
    total, count = 0.0, 0
    for b in range(2):
        for n in range(4):
            if not hidden[b, n]:
                continue
            row = target[b, n].double().tolist()
            mean = sum(row) / 6
            variance = sum((v - mean) ** 2 for v in row) / 5  # unbiased, as in the authors' code
            goal = [(v - mean) / math.sqrt(variance + 1e-6) for v in row]
            total += sum((float(p) - g) ** 2 for p, g in zip(prediction[b, n], goal, strict=True)) / 6
            count += 1
    assert float(mae_loss(prediction, target, hidden, normalise=True)) == pytest.approx(total / count, abs=1e-5)
    plain = (prediction - target).square().mean(-1)[hidden > 0].mean()
    assert float(mae_loss(prediction, target, hidden, normalise=False)) == pytest.approx(float(plain), abs=1e-5)


def test_patches_come_back_where_they_were():
    images = torch.randn(2, 3, 32, 48)
    patches = patchify(images, 16)
    assert patches.shape == (2, 6, 768)
    assert torch.equal(unpatchify(patches, 16, 2, 3), images)
    # The order is the encoder's: row by row.
    assert torch.equal(patches[0, 1].reshape(16, 16, 3).permute(2, 0, 1), images[0, :, :16, 16:32])


@pytest.mark.parametrize(("ratio", "kept"), [(0.75, 16), (0.5, 32), (0.95, 3)])
def test_masking_keeps_the_share_and_knows_the_way_back(ratio, kept):
    keep, hidden, restore = random_masking(5, 64, ratio, torch.device("cpu"))
    assert keep.shape == (5, kept)
    assert hidden.sum(1).tolist() == [64 - kept] * 5
    assert float(hidden.gather(1, keep).sum()) == 0
    # Values put in shuffled order and restored stand where they belong.
    shuffled = torch.cat([keep, torch.full((5, 64 - kept), -1)], dim=1).gather(1, restore)
    for row, mask in zip(shuffled, hidden, strict=True):
        assert [int(v) for v in row[mask == 0]] == [n for n in range(64) if mask[n] == 0]


def batch_for(method, images=4):
    return tuple(torch.randn(spec.count * images, 3, spec.size, spec.size) for spec in method.views)


def test_mae_encoder_sees_visible_patches_only():
    method = MAE(create_encoder("test_vit"), MAERecipe(), resolution=64, look=LOOK)
    seen = []
    method.encoder.net.blocks[0].register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0].shape[1]))
    method(batch_for(method)).loss.backward()
    assert seen == [4 + method.encoder.net.num_prefix_tokens]  # 16 patches, three quarters hidden
    assert all(p.grad is not None for p in method.parameters() if p.requires_grad)


def test_mae_learns_to_fill_in_one_image():
    method = MAE(create_encoder("test_vit"), MAERecipe(mask_ratio=0.5), resolution=64, look=LOOK)
    method.begin_from_scratch()
    rows = torch.arange(64).float()
    image = torch.sin(rows[None, :, None] / 6) * torch.cos(rows[None, None, :] / 9) * torch.ones(3, 1, 1)
    views = (image[None].repeat(8, 1, 1, 1),)
    optimiser = torch.optim.AdamW(method.parameters(), 1e-3)
    losses = []
    for _ in range(150):
        loss = method(views).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.65 * losses[0]


def test_mae_with_a_convolutional_network_is_refused_with_a_way_out():
    with pytest.raises(UserError) as error:
        create_method(create_encoder("test_resnet"), MAERecipe(), resolution=64, look=LOOK)
    assert "MAE cannot train “test_resnet”" in error.value.problem
    assert "SimCLR or DINO" in error.value.advice
