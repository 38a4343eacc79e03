"""Each loss against a slow, literal transcription of its paper's equation."""

import math

import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.dino import DINO, dino_loss, follow, multi_crop, steady_momentum
from sslstudio.learning.methods.mae import MAE, mae_loss, patchify, random_masking, unpatchify
from sslstudio.learning.methods.registry import create_method
from sslstudio.learning.methods.simclr import SimCLR, nt_xent
from sslstudio.recipes.methods import DINORecipe, MAERecipe, SimCLRRecipe
from sslstudio.recipes.presets import PRESETS, Augmentation

LOOK = PRESETS["microscopy"].augmentation


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)
    torch.set_num_threads(1)


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def slow_nt_xent(left, right, temperature):
    """Algorithm 1 of SimCLR, sample by sample in Python floats."""
    z = [*left.double().tolist(), *right.double().tolist()]
    n = len(left)
    total = 0.0
    for i in range(2 * n):
        j = i + n if i < n else i - n
        top = math.exp(cosine(z[i], z[j]) / temperature)
        bottom = sum(math.exp(cosine(z[i], z[k]) / temperature) for k in range(2 * n) if k != i)
        total += -math.log(top / bottom)
    return total / (2 * n)


@pytest.mark.parametrize("temperature", [0.07, 0.15, 0.5, 1.0])
def test_nt_xent_is_equation_1(temperature):
    left, right = torch.randn(5, 7), torch.randn(5, 7)
    assert float(nt_xent(left, right, temperature)) == pytest.approx(slow_nt_xent(left, right, temperature), abs=1e-5)


def softmax(row):
    top = max(row)
    e = [math.exp(v - top) for v in row]
    return [v / sum(e) for v in e]


def slow_dino(student, teacher, centre, ts, tt):
    """Algorithm 1 of DINO with multi-crop (equation 3), pair by pair in Python floats."""
    student, teacher, centre = student.double().tolist(), teacher.double().tolist(), centre.double().tolist()[0]
    losses = []
    for t, large in enumerate(teacher):
        for s, view in enumerate(student):
            if s == t:
                continue
            for b in range(len(view)):
                p = softmax([(v - c) / tt for v, c in zip(large[b], centre, strict=True)])
                q = softmax([v / ts for v in view[b]])
                losses.append(-sum(x * math.log(y) for x, y in zip(p, q, strict=True)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("views", [2, 4])
def test_dino_loss_is_equation_3(views):
    student, teacher = torch.randn(views, 3, 6), torch.randn(2, 3, 6)
    centre = torch.randn(1, 6) * 0.1
    fast = dino_loss(student, teacher, centre, student_temperature=0.1, teacher_temperature=0.3)
    assert float(fast) == pytest.approx(slow_dino(student, teacher, centre, 0.1, 0.3), abs=1e-5)


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


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_dino_teacher_gets_no_gradient_and_student_all(backbone):
    method = DINO(create_encoder(backbone), DINORecipe(prototypes=64), resolution=64, look=LOOK)
    method(batch_for(method)).loss.backward()
    for module in (method.encoder, method.teacher_head):
        assert all(p.grad is None and not p.requires_grad for p in module.parameters())
    for module in (method.student, method.student_head):
        assert all(p.grad is not None for p in module.parameters())


def test_no_gradient_flows_into_the_teachers_answer():
    student, teacher = torch.randn(4, 2, 5, requires_grad=True), torch.randn(2, 2, 5, requires_grad=True)
    dino_loss(student, teacher, torch.zeros(1, 5), student_temperature=0.1, teacher_temperature=0.04).backward()
    assert teacher.grad is None
    assert student.grad is not None


def test_the_teacher_follows_by_the_momentum():
    teacher, student = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    before = [p.clone() for p in teacher.parameters()]
    follow(teacher, student, 0.9)
    for old, new, goal in zip(before, teacher.parameters(), student.parameters(), strict=True):
        assert torch.allclose(new, 0.9 * old + 0.1 * goal, atol=1e-6)


def test_the_teachers_momentum_rises_to_one_and_suits_short_runs():
    method = DINO(create_encoder("test_vit"), DINORecipe(prototypes=64), resolution=64, look=LOOK)
    with torch.no_grad():
        for p in method.student.parameters():
            p.add_(1.0)
    name, _ = next(iter(method.encoder.named_parameters()))
    gap = []
    for share in (0.0, 0.5, 1.0):
        method.position = Position(share, 200)
        before = method.encoder.get_parameter(name).clone()
        method.after_step()
        student = method.student.get_parameter(name)
        after = method.encoder.get_parameter(name)
        gap.append(((after - before) / (student - before)).mean().item())
    assert gap == pytest.approx([0.1, 0.05, 0.0], abs=1e-4)  # 1 - 20/200 at the start
    assert steady_momentum(0.99, 100_000) == 0.99


def test_the_centre_follows_the_teachers_mean():
    method = DINO(create_encoder("test_vit"), DINORecipe(prototypes=64, centre_momentum=0.7), resolution=64, look=LOOK)
    views = batch_for(method)
    with torch.no_grad():
        mean = method.teacher_head(method.encoder(views[0])).mean(0, keepdim=True)
    method(views)
    assert torch.allclose(method.centre, 0.3 * mean, atol=1e-5)


def test_the_last_layer_stands_still_in_the_first_share():
    method = DINO(create_encoder("test_vit"), DINORecipe(prototypes=64, freeze_last=0.1), resolution=64, look=LOOK)
    optimiser = torch.optim.AdamW([p for p in method.parameters() if p.requires_grad], 0.1, weight_decay=0.5)
    start = method.student_head.last.weight.clone()
    for share, still in ((0.05, True), (0.2, False)):
        method.position = Position(share, 100)
        method(batch_for(method)).loss.backward()
        method.before_update()
        optimiser.step()
        assert torch.equal(method.student_head.last.weight, start) is still


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("resolution", [64, 96, 128, 224])
def test_crops_suit_the_backbone(stride, resolution):
    large, small = multi_crop(Augmentation(), resolution, stride, 4)
    assert large.size % stride == small.size % stride == 0
    assert 2 * stride <= small.size <= large.size
    assert small.crop[1] <= large.crop[0] < large.crop[1] == 1.0


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_simclr_tells_images_apart_after_some_steps(backbone):
    method = SimCLR(create_encoder(backbone), SimCLRRecipe(), resolution=64, look=LOOK)
    images = torch.randn(8, 3, 64, 64)
    optimiser = torch.optim.AdamW(method.parameters(), 1e-3)
    losses = []
    for _ in range(25):
        views = torch.cat([images + 0.1 * torch.randn_like(images), images + 0.1 * torch.randn_like(images)])
        loss = method((views,)).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_losses_keep_their_digits_under_autocast():
    torch.manual_seed(1)
    left, right = torch.randn(4, 8), torch.randn(4, 8)

    class Fixed(torch.nn.Module):
        width, stride, kind = 8, 16, "conv"

        def forward(self, x):
            return torch.cat([left, right])

    method = SimCLR(Fixed(), SimCLRRecipe(), resolution=64, look=LOOK)
    method.head = torch.nn.Identity()
    with torch.autocast("cpu", torch.bfloat16):
        loss = method((torch.zeros(8, 3, 64, 64),)).loss
    assert float(loss) == pytest.approx(slow_nt_xent(left, right, 0.15), abs=1e-5)


def test_mae_with_a_convolutional_network_is_refused_with_a_way_out():
    with pytest.raises(UserError) as error:
        create_method(create_encoder("test_resnet"), MAERecipe(), resolution=64, look=LOOK)
    assert "MAE cannot train “test_resnet”" in error.value.problem
    assert "SimCLR or DINO" in error.value.advice
