"""Other people's checkpoints, in the true names of each: what they give equals the network that they come from."""

import ast
import re

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from sslstudio.errors import UserError
from sslstudio.learning.backbones.create import create
from sslstudio.learning.backbones.foreign import adapt_channels, inspect, load_foreign

TINY = "vit_tiny_patch16_224"


@pytest.fixture(autouse=True)
def _threads():
    torch.set_num_threads(1)


def random(state):
    """The same names with numbers that no two tensors share; small, so that deep networks stay finite."""
    torch.manual_seed(0)
    return {k: 0.05 * torch.randn_like(v) if v.is_floating_point() else v for k, v in state.items()}


def filled(name, **options):
    """timm's network of that name with random weights everywhere, also where a new one has zeros or ones."""
    net = timm.create_model(name, num_classes=0, **options).eval()
    net.load_state_dict({k: v.abs() if "running_var" in k else v for k, v in random(net.state_dict()).items()})
    return net


def dense(net, images):
    with torch.no_grad():
        return net.forward_features(images)


def gives_the_same(name, file, theirs, images, **report):
    """Load ``file`` and compare the tokens or the last map with those of the source network."""
    encoder = create(name).eval()
    found = load_foreign(encoder, file)
    assert found.missing == (), found.missing
    with torch.no_grad():
        ours = encoder.tokens(images) if encoder.kind == "vit" else encoder.feature_levels(images)[-1]
    assert torch.allclose(ours, theirs, atol=1e-4), (ours - theirs).abs().max()
    return found


IMAGES = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))


# names of vision transformers ---------------------------------------------------------------------------


def as_hf_vit(state, *, dinov2=False):
    """The names that transformers' ViTModel (or Dinov2Model) gives to timm's weights."""
    found = {}
    for name, value in state.items():
        if ".attn.qkv." in name:
            base, kind = name.split(".attn.qkv.")
            number = base.removeprefix("blocks.")
            for part, piece in zip(("query", "key", "value"), value.chunk(3), strict=True):
                found[f"encoder.layer.{number}.attention.attention.{part}.{kind}"] = piece.clone()
            continue
        new = name
        for old, theirs in (
            ("cls_token", "embeddings.cls_token"),
            ("reg_token", "embeddings.register_tokens"),
            ("pos_embed", "embeddings.position_embeddings"),
            ("patch_embed.proj.", "embeddings.patch_embeddings.projection."),
            ("blocks.", "encoder.layer."),
            (".attn.proj.", ".attention.output.dense."),
            (".ls1.gamma", ".layer_scale1.lambda1"),
            (".ls2.gamma", ".layer_scale2.lambda1"),
        ):
            new = new.replace(old, theirs)
        if not dinov2:
            for old, theirs in (
                (".mlp.fc1.", ".intermediate.dense."),
                (".mlp.fc2.", ".output.dense."),
                (".norm1.", ".layernorm_before."),
                (".norm2.", ".layernorm_after."),
            ):
                new = new.replace(old, theirs)
        found[re.sub(r"^norm\.", "layernorm.", new)] = value
    return found


def dino(state):
    """DINO's own file: student and teacher, each with its head."""
    head = {"head.mlp.0.weight": torch.zeros(8, 8), "head.last_layer.weight_g": torch.zeros(8, 1)}
    teacher = {f"backbone.{k}": v for k, v in state.items()}
    student = {f"module.backbone.{k}": v + 1 for k, v in state.items()}
    return {
        "student": {**student, **{f"module.{k}": v for k, v in head.items()}},
        "teacher": {**teacher, **head},
        "epoch": 100,
    }


def mae(state):
    """MAE's own file: the encoder beside its decoder."""
    decoder = {"decoder_embed.weight": torch.zeros(8, 192), "decoder_blocks.0.norm1.weight": torch.zeros(8)}
    return {"model": {**state, **decoder, "mask_token": torch.zeros(1, 1, 8)}, "epoch": 800}


def moco_v3(state):
    """MoCo v3's own file: the base encoder and its momentum twin, with projectors in place of heads."""
    base = {f"module.base_encoder.{k}": v for k, v in state.items()}
    twin = {f"module.momentum_encoder.{k}": v + 1 for k, v in state.items()}
    heads = {"module.base_encoder.head.0.weight": torch.zeros(8, 192), "module.predictor.0.weight": torch.zeros(8, 8)}
    return {"state_dict": {**twin, **base, **heads}, "arch": "vit_tiny", "optimizer": {"state": {}}}


def lightly_dino(state):
    """A Lightning checkpoint of lightly's DINO example, its ViT wrapped in ``vit``."""
    teacher = {f"teacher_backbone.vit.{k}": v for k, v in state.items()}
    student = {f"student_backbone.vit.{k}": v + 1 for k, v in state.items()}
    head = {"teacher_head.layers.0.weight": torch.zeros(8, 192)}
    return {"state_dict": {**student, **teacher, **head}, "global_step": 9}


def in_chunks(state):
    """DINOv2's training checkpoints: blocks in chunks, each block at its own number inside."""
    return {
        "teacher": {
            f"backbone.{re.sub(r'blocks[.]([0-9]+)[.]', lambda m: f'blocks.{int(m[1]) // 3}.{m[1]}.', k)}": v
            for k, v in state.items()
        }
        | {"dino_head.mlp.0.weight": torch.zeros(4, 4), "ibot_head.mlp.0.weight": torch.zeros(4, 4)}
    }


WRITTEN = {
    "timm": (lambda s: s, "timm"),
    "dino": (dino, "DINO"),
    "mae": (mae, "MAE"),
    "moco v3": (moco_v3, "MoCo"),
    "lightly's dino": (lightly_dino, "DINO"),
    "dinov2 in chunks": (in_chunks, "DINOv2"),
    "hugging face": (as_hf_vit, "Hugging Face"),
    "hugging face with a head": (
        lambda s: {f"vit.{k}": v for k, v in as_hf_vit(s).items()} | {"classifier.weight": torch.zeros(2, 192)},
        "Hugging Face",
    ),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_vit_from_every_usual_file_gives_what_it_gave(tmp_path, written):
    write, origin = WRITTEN[written]
    theirs = filled(TINY)
    torch.save(write(theirs.state_dict()), tmp_path / "x.pth")
    report = gives_the_same(TINY, tmp_path / "x.pth", dense(theirs, IMAGES), IMAGES)
    assert origin in report.origin
    assert all(re.search("head|student|decoder|mask_token|momentum|predictor|classifier", n) for n in report.unused)
    assert f"{len(report.used)} tensors used" in report.sentence()


@pytest.mark.parametrize("name", ["vit_small_patch14_dinov2", "vit_small_patch14_reg4_dinov2"])
@pytest.mark.parametrize("written", ["own", "hugging face"])
def test_dinov2_with_layer_scale_and_registers(tmp_path, name, written):
    theirs = filled(name, img_size=224, dynamic_img_size=True)
    state = dict(theirs.state_dict())
    if "reg4" in name:  # its authors keep a position for the class token, timm has added it to the token
        at_class = torch.full_like(state["cls_token"], 0.01)
        state["cls_token"] = state["cls_token"] - at_class
        state["pos_embed"] = torch.cat([at_class, state["pos_embed"]], dim=1)
    if written == "own":
        state["mask_token"] = torch.zeros(1, 384)
        state = {k.replace("reg_token", "register_tokens"): v for k, v in state.items()}
    else:
        state = as_hf_vit(state, dinov2=True)
    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "x.safetensors")
    encoder = create(name).eval()  # of 518 pixels: positions are resampled
    report = load_foreign(encoder, tmp_path / "x.safetensors")
    assert report.missing == ()
    assert report.adapted == ("net.pos_embed",)
    images = IMAGES[:1]
    with torch.no_grad():
        found = encoder.tokens(images)
    wanted = dense(theirs, images)
    # Enlarged to 518 pixels and shrunk again, positions come back nearly the same.
    assert float((found - wanted).abs().mean() / wanted.abs().mean()) < 0.05
    assert torch.allclose(encoder.net.cls_token, theirs.cls_token, atol=1e-6)
    assert inspect(tmp_path / "x.safetensors").backbone == name


@pytest.mark.parametrize("written", ["own", "hugging face"])
def test_dinov3_with_rotary_positions(tmp_path, written):
    name = "vit_small_patch16_dinov3_qkvb"
    theirs = filled(name)
    state = {}
    for key, value in theirs.state_dict().items():
        if key.endswith("q_bias"):
            base = key.removesuffix("q_bias")
            parts = [value, torch.zeros_like(value), theirs.state_dict()[f"{base}v_bias"]]
            state[f"{base}qkv.bias"] = torch.cat(parts)
        elif not key.endswith("v_bias"):
            state[re.sub(r"\.gamma_([12])$", r".ls\1.gamma", key)] = value
    if written == "own":
        state = {k.replace("reg_token", "storage_tokens"): v for k, v in state.items()}
        state |= {"rope_embed.periods": torch.ones(16), "mask_token": torch.zeros(1, 384)}
        state |= {f"blocks.{n}.attn.qkv.bias_mask": torch.ones(1152) for n in range(12)}
        origin = "DINOv3"
    else:
        state = as_hf_dinov3(state)
        origin = "Hugging Face's DINOv3"
    torch.save(state, tmp_path / "x.pth")
    report = gives_the_same(name, tmp_path / "x.pth", dense(theirs, IMAGES), IMAGES)
    assert report.origin == origin
    assert all(re.search("mask|rope", name) for name in report.unused)
    assert inspect(tmp_path / "x.pth").backbone == "vit_small_patch16_dinov3"


def as_hf_dinov3(state):
    """The names of transformers' DINOv3ViTModel, whose keys have no bias."""
    found = {}
    for name, value in state.items():
        if ".attn.qkv." in name:
            base, kind = name.split(".attn.qkv.")
            number = base.removeprefix("blocks.")
            for part, piece in zip("qkv", value.chunk(3), strict=True):
                if (part, kind) != ("k", "bias"):
                    found[f"layer.{number}.attention.{part}_proj.{kind}"] = piece.clone()
            continue
        for old, theirs in (
            ("cls_token", "embeddings.cls_token"),
            ("reg_token", "embeddings.register_tokens"),
            ("patch_embed.proj.", "embeddings.patch_embeddings."),
            ("blocks.", "layer."),
            (".attn.proj.", ".attention.o_proj."),
            (".ls1.gamma", ".layer_scale1.lambda1"),
            (".ls2.gamma", ".layer_scale2.lambda1"),
            (".mlp.fc1.", ".mlp.up_proj."),
            (".mlp.fc2.", ".mlp.down_proj."),
        ):
            name = name.replace(old, theirs)
        found[name] = value
    return found


def test_torchvisions_vit_gives_what_it_gives_there(tmp_path):
    theirs = torchvision.models.VisionTransformer(224, 16, 12, 3, 192, 768).eval()
    theirs.load_state_dict(random(theirs.state_dict()))
    torch.save(theirs.state_dict(), tmp_path / "x.pth")
    with torch.no_grad():
        x = theirs._process_input(IMAGES)
        wanted = theirs.encoder(torch.cat([theirs.class_token.expand(2, -1, -1), x], dim=1))
    report = gives_the_same(TINY, tmp_path / "x.pth", wanted, IMAGES)
    assert report.origin == "torchvision's ViT"
    assert report.unused == ("heads.head.bias", "heads.head.weight")


# convolutional networks ----------------------------------------------------------------------------------


def resnet18():
    net = torchvision.models.resnet18().eval()
    state = random(net.state_dict())
    net.load_state_dict({k: v.abs() if "running_var" in k else v for k, v in state.items()})
    return net


def last_map(net, images=IMAGES):
    with torch.no_grad():
        x = net.maxpool(net.relu(net.bn1(net.conv1(images))))
        return net.layer4(net.layer3(net.layer2(net.layer1(x))))


def moco_v2(state):
    """MoCo v2's own file: the query encoder, its momentum twin, the queue."""
    query = {f"module.encoder_q.{k}": v for k, v in state.items() if not k.startswith("fc.")}
    twin = {f"module.encoder_k.{k}": v * 2 for k, v in state.items() if not k.startswith("fc.")}
    rest = {"module.encoder_q.fc.0.weight": torch.zeros(8, 8), "module.queue": torch.zeros(8, 16)}
    return {"epoch": 200, "arch": "resnet18", "state_dict": {**twin, **query, **rest}}


def lightly_simclr(net):
    """A Lightning checkpoint of lightly's SimCLR example: the network's children in a sequence."""
    backbone = nn.Sequential(*list(net.children())[:-1])
    state = {f"backbone.{k}": v for k, v in backbone.state_dict().items()}
    return {"state_dict": {**state, "projection_head.layers.0.weight": torch.zeros(8, 512)}, "epoch": 3}


RESNETS = {
    "torchvision": (lambda net: net.state_dict(), "timm"),
    "moco v2": (lambda net: moco_v2(net.state_dict()), "MoCo"),
    "lightly": (lightly_simclr, "Lightly"),
    "vissl": (
        lambda net: {
            "classy_state_dict": {
                "base_model": {"model": {"trunk": {f"_feature_blocks.{k}": v for k, v in net.state_dict().items()}}}
            }
        },
        "timm",
    ),
}


@pytest.mark.parametrize("written", RESNETS)
def test_torchvisions_resnet18_from_every_usual_file(tmp_path, written):
    theirs = resnet18()
    write, origin = RESNETS[written]
    torch.save(write(theirs), tmp_path / "x.pth")
    report = gives_the_same("resnet18", tmp_path / "x.pth", last_map(theirs), IMAGES)
    assert origin in report.origin
    assert inspect(tmp_path / "x.pth").backbone == "resnet18"


def test_torchvisions_convnext(tmp_path):
    theirs = torchvision.models.convnext_tiny().eval()
    theirs.load_state_dict(random(theirs.state_dict()))
    torch.save(theirs.state_dict(), tmp_path / "x.pth")
    with torch.no_grad():
        wanted = theirs.features(IMAGES[:, :, :96, :96])
    report = gives_the_same("convnext_tiny", tmp_path / "x.pth", wanted, IMAGES[:, :, :96, :96])
    assert report.origin == "torchvision's ConvNeXt"
    assert inspect(tmp_path / "x.pth").backbone == "convnext_tiny"


def as_metas_convnext(state):
    """The names of the authors' ConvNeXt; in the second one response normalisation has more axes, too."""
    found = {}
    for key, value in state.items():
        key = re.sub(r"^stem\.", "downsample_layers.0.", key)
        key = re.sub(r"^stages\.(\d)\.downsample\.", r"downsample_layers.\1.", key)
        key = re.sub(r"^stages\.(\d)\.blocks\.", r"stages.\1.", key).replace(".conv_dw.", ".dwconv.")
        key = key.replace(".mlp.grn.weight", ".grn.gamma").replace(".mlp.grn.bias", ".grn.beta")
        found[re.sub(r"\.mlp\.fc([12])\.", r".pwconv\1.", key)] = value.view(1, 1, 1, -1) if ".grn." in key else value
    return found


def test_metas_convnext_names(tmp_path):
    theirs = filled("convnext_atto")
    torch.save({"model": as_metas_convnext(theirs.state_dict())}, tmp_path / "x.pth")
    report = gives_the_same("convnext_atto", tmp_path / "x.pth", dense(theirs, IMAGES), IMAGES)
    assert report.origin == "Meta's ConvNeXt"


def as_hf_resnet(state):
    """The names of transformers' ResNetModel."""
    found = {}
    for name, value in state.items():
        name = re.sub(r"^(conv|bn)1\.", r"embedder.embedder.\1.", name)
        name = re.sub(r"^layer(\d)\.(\d+)\.", lambda m: f"encoder.stages.{int(m[1]) - 1}.layers.{m[2]}.", name)
        name = re.sub(r"\.(conv|bn)(\d)\.", lambda m: f".layer.{int(m[2]) - 1}.{m[1]}.", name)
        name = name.replace(".downsample.0.", ".shortcut.conv.").replace(".downsample.1.", ".shortcut.bn.")
        found[name.replace(".conv.", ".convolution.").replace(".bn.", ".normalization.")] = value.contiguous()
    return found


def as_hf_convnext(state):
    """The names of transformers' ConvNextModel and ConvNextV2Model."""
    found = {}
    for name, value in state.items():
        name = name.replace("stem.0.", "embeddings.patch_embeddings.").replace("stem.1.", "embeddings.layernorm.")
        name = re.sub(r"^stages\.(\d)\.downsample\.", r"encoder.stages.\1.downsampling_layer.", name)
        name = re.sub(r"^stages\.(\d)\.blocks\.(\d+)\.", r"encoder.stages.\1.layers.\2.", name)
        name = name.replace(".conv_dw.", ".dwconv.").replace(".norm.", ".layernorm.")
        name = name.replace(".gamma", ".layer_scale_parameter")
        name = re.sub(r"\.mlp\.fc([12])\.", r".pwconv\1.", name).replace(".mlp.grn.", ".grn.")
        found[re.sub(r"^head\.layernorm\.", "layernorm.", name)] = value.view(1, 1, 1, -1) if ".grn." in name else value
    return found


def as_hf_dinov3_convnext(state):
    """The names of transformers' DINOv3ConvNextModel."""
    found = {}
    for name, value in state.items():
        name = name.replace("stem.", "stages.0.downsample_layers.").replace(".downsample.", ".downsample_layers.")
        name = name.replace(".blocks.", ".layers.").replace(".norm.", ".layer_norm.")
        name = name.replace(".conv_dw.", ".depthwise_conv.")
        name = re.sub(r"\.mlp\.fc([12])\.", r".pointwise_conv\1.", name)
        found[re.sub(r"^head\.layer_norm\.", "layer_norm.", name)] = value
    return found


@pytest.mark.parametrize("name", ["resnet18", "resnet26"])
@pytest.mark.parametrize("classifies", [False, True])
def test_hugging_faces_resnet_with_and_without_a_head(tmp_path, name, classifies):
    theirs = filled(name)
    state = as_hf_resnet(theirs.state_dict())
    if classifies:
        state = {f"resnet.{k}": v for k, v in state.items()} | {"classifier.1.weight": torch.zeros(2, 512)}
    save_file(state, tmp_path / "model.safetensors")
    images = IMAGES[:, :, :96, :96]
    report = gives_the_same(name, tmp_path / "model.safetensors", dense(theirs, images), images)
    assert report.origin == "Hugging Face's ResNet"
    assert report.unused == (("classifier.1.weight",) if classifies else ())
    assert report.prefix == ("resnet." if classifies else "")
    assert len(report.used) == len(theirs.state_dict())
    assert report.share == 1
    assert inspect(tmp_path / "model.safetensors").backbone == name


@pytest.mark.parametrize(
    ("name", "write", "prefix", "origin"),
    [
        ("convnext_tiny", as_hf_convnext, "convnext.", "Hugging Face's ConvNeXt"),
        ("convnextv2_atto", as_hf_convnext, "convnextv2.", "Hugging Face's ConvNeXt"),
        ("convnext_tiny", as_hf_dinov3_convnext, "", "Hugging Face's DINOv3 ConvNeXt"),
    ],
)
def test_hugging_faces_convnexts(tmp_path, name, write, prefix, origin):
    theirs = filled(name)
    state = {f"{prefix}{k}": v.contiguous() for k, v in write(theirs.state_dict()).items()}
    head = {"classifier.weight": torch.zeros(2, 8), "classifier.bias": torch.zeros(2)} if prefix else {}
    save_file(state | head, tmp_path / "model.safetensors")
    images = IMAGES[:, :, :96, :96]
    with torch.no_grad():  # before the norm that belongs to the classifier
        wanted = theirs.stages(theirs.stem(images))
    report = gives_the_same(name, tmp_path / "model.safetensors", wanted, images)
    assert report.origin == origin
    norm = "layernorm" if head else "layer_norm"
    assert set(report.unused) == {*head, f"{prefix}{norm}.weight", f"{prefix}{norm}.bias"}
    assert set(report.used) == set(state) - set(report.unused)
    assert inspect(tmp_path / "model.safetensors").backbone == name


def test_metas_second_convnext(tmp_path):
    theirs = filled("convnextv2_atto")
    torch.save({"model": as_metas_convnext(theirs.state_dict())}, tmp_path / "x.pth")
    report = gives_the_same("convnextv2_atto", tmp_path / "x.pth", dense(theirs, IMAGES), IMAGES)
    assert report.origin == "Meta's ConvNeXt"
    assert inspect(tmp_path / "x.pth").backbone == "convnextv2_atto"


# fitting and telling ---------------------------------------------------------------------------------------


def test_the_wrong_backbone_is_told_together_with_the_right_one(tmp_path):
    torch.save(resnet18().state_dict(), tmp_path / "x.pth")
    with pytest.raises(UserError) as told:
        load_foreign(create(TINY), tmp_path / "x.pth")
    assert "does not fit" in told.value.problem
    assert "resnet18" in told.value.advice
    found = inspect(tmp_path / "x.pth", TINY)
    assert found.problem
    assert found.report.share < 0.5


def test_patches_of_another_size_are_resampled_and_told(tmp_path):
    torch.save(filled(TINY).state_dict(), tmp_path / "x.pth")
    encoder = create("vit_tiny_patch16_384")
    assert load_foreign(encoder, tmp_path / "x.pth").adapted == ("net.pos_embed",)
    small = timm.create_model("vit_small_patch16_224", num_classes=0)
    torch.save(small.state_dict(), tmp_path / "y.pth")
    report = load_foreign(create("vit_small_patch8_224"), tmp_path / "y.pth")
    assert "net.patch_embed.proj.weight" in report.adapted
    assert "Resampled to fit" in report.sentence()


@pytest.mark.parametrize("channels", [1, 2, 4, 8])
def test_the_stem_is_adapted_to_other_channels(tmp_path, channels):
    theirs = resnet18()
    torch.save(theirs.state_dict(), tmp_path / "x.pth")
    encoder = create("resnet18", channels=channels).eval()
    report = load_foreign(encoder, tmp_path / "x.pth")
    assert report.missing == ()
    assert "net.conv1.weight" in report.adapted
    grey = IMAGES[:, :1]
    with torch.no_grad():
        ours = encoder.net.conv1(grey.expand(-1, channels, -1, -1))
        wanted = theirs.conv1(grey.expand(-1, 3, -1, -1))
    if channels in (1,):
        assert torch.allclose(ours, wanted, atol=1e-4), "a grey image gives what it gave as three equal channels"
    assert encoder.channels == channels


def test_adapted_channels_keep_the_sum_where_they_repeat_evenly():
    weight = torch.randn(4, 3, 7, 7)
    for channels in (1, 3, 6, 9):
        assert torch.allclose(adapt_channels(weight, channels).sum(1), weight.sum(1), atol=1e-5)


def test_a_file_whose_network_cannot_be_told_says_so(tmp_path):
    torch.save({"a.weight": torch.zeros(3, 3)}, tmp_path / "x.pth")
    found = inspect(tmp_path / "x.pth")
    assert found.report is None
    assert "cannot be told" in found.problem


def test_the_advice_to_save_weights_is_code_that_python_takes():
    from sslstudio.learning.backbones.checkpoints import SAVE_SAFELY

    assert '"weights.pth"' in SAVE_SAFELY
    for call in re.findall(r"[\w.]+\(model\.state_dict\(\), [^)]*\)", SAVE_SAFELY):
        ast.parse(call)
    assert SAVE_SAFELY.count("state_dict(), ") == 2
