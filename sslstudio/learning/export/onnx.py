"""ONNX with everything inside: pixels 0 to 255 in, class probabilities out, for images of any size."""

from __future__ import annotations

import json
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import normalisation
from sslstudio.learning.segmentation.model import SegmentationModel
from sslstudio.learning.segmentation.tiles import MARGIN

log = logging.getLogger(__name__)

OPSET = 18
INPUT, OUTPUT = "images", "probabilities"
_TRIED = ((1, 97, 160), (2, 224, 131))  # batch, height, width
_TOLERANCE = 1e-3  # of a probability; another order of summing alone gives about 1e-5


class Deployable(nn.Module):
    """Images (B, C, H, W) of 0..255, RGB if three, to probabilities (B, K, H, W); shrinks and normalises inside."""

    mean: Tensor
    std: Tensor

    def __init__(self, model: SegmentationModel) -> None:
        super().__init__()
        self.model = model
        mean, std = (torch.tensor(row).view(1, -1, 1, 1) * 255 for row in normalisation(model.encoder.channels))
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, images: Tensor) -> Tensor:
        """Probabilities of the classes, summing to 1 in every pixel."""
        height, width = images.shape[-2:]
        k = self.model.shrink
        rim = MARGIN * k
        x = F.pad((images - self.mean) / self.std, (rim, rim, rim, rim), mode="replicate")
        if k == 1:
            return self.model(x).softmax(1)[..., rim : rim + height, rim : rim + width]
        x = F.pad(x, (0, (-width) % k, 0, (-height) % k), mode="replicate")
        scores = self.model(F.avg_pool2d(x, k)).softmax(1)
        large = F.interpolate(scores, scale_factor=float(k), mode="bilinear", align_corners=False)
        return large[..., rim : rim + height, rim : rim + width]


@dataclass(frozen=True)
class Agreement:
    """How far ONNX Runtime's probabilities are from PyTorch's at most, and the (width, height) that were tried."""

    difference: float
    sizes: tuple[tuple[int, int], ...]


def export_onnx(model: SegmentationModel, file: Path, classes: list[str]) -> Agreement:
    """Write a single ONNX file with dynamic batch, height and width, and check it against PyTorch.

    Raises UserError where the model cannot be exported or the runtime's answer differs; no file stays then.
    """
    deployable = Deployable(model).eval()
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.tmp.onnx")
    try:
        _write(deployable, temporary, classes)
        agreement = check_onnx(deployable, temporary)
        temporary.replace(file)
        return agreement
    finally:
        temporary.unlink(missing_ok=True)
        temporary.with_name(temporary.name + ".data").unlink(missing_ok=True)


def _write(deployable: Deployable, file: Path, classes: list[str]) -> None:
    # Neither size is a multiple of the stride nor equal to another, so that nothing is taken for a constant.
    side = deployable.model.encoder.stride * 5 * deployable.model.shrink
    example = torch.rand(2, deployable.model.encoder.channels, side + 5, side + 11) * 255
    sizes = dict.fromkeys(("batch", "height", "width"), torch.export.Dim.DYNAMIC)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                deployable,
                (example,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes={"images": {0: sizes["batch"], 2: sizes["height"], 3: sizes["width"]}},
                external_data=False,
                verbose=False,
            )
        assert program is not None
        program.save(str(file), external_data=False)
    except Exception as error:
        log.exception("ONNX export failed")
        raise UserError(
            tr("The backbone “{name}” cannot be exported to ONNX ({name_2}).").format(
                name=deployable.model.encoder.name, name_2=type(error).__name__
            ),
            tr("Choose a ResNet, ConvNeXt or ViT, or report this with the log."),
        ) from error
    _describe(file, deployable.model, classes)


def _describe(file: Path, model: SegmentationModel, classes: list[str]) -> None:
    """Name the dimensions and say in the file's metadata what goes in and what comes out."""
    proto = onnx.load(str(file))
    channels = model.encoder.channels
    facts: dict[str, Any] = {
        "classes": json.dumps(classes, ensure_ascii=False),
        "input": f"{_what(channels)}, 0 to 255, float32, (batch, {channels}, height, width), any height and width",
        "channels": str(channels),
        "output": "probabilities of the classes, (batch, classes, height, width)",
        "backbone": model.encoder.name,
        "crop": str(model.crop),
        "shrink": str(model.shrink),
        "producer": "SSL Studio",
    }
    onnx.helper.set_model_props(proto, facts)
    for value in (*proto.graph.input, *proto.graph.output):
        dims = value.type.tensor_type.shape.dim
        for place, name in ((0, "batch"), (2, "height"), (3, "width")):
            dims[place].dim_param = name
    onnx.checker.check_model(proto)
    onnx.save(proto, str(file))


def _what(channels: int) -> str:
    """What the channels of the input are."""
    return {1: "grey", 3: "RGB"}.get(channels, f"{channels} bands, other than 8-bit ones each stretched to that range")


def check_onnx(deployable: Deployable, file: Path) -> Agreement:
    """Compare ONNX Runtime with PyTorch at two sizes and two batch sizes.

    Raises UserError where they differ by more than a thousandth of a probability.
    """
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    worst = 0.0
    for batch, height, width in _TRIED:
        images = rng.integers(0, 256, (batch, deployable.model.encoder.channels, height, width)).astype(np.float32)
        with torch.inference_mode():
            wanted = deployable(torch.from_numpy(images)).numpy()
        try:
            (found,) = session.run([OUTPUT], {INPUT: images})
        except Exception as error:
            raise UserError(
                tr("The exported model fails at {width} × {height} pixels ({name}).").format(
                    width=width, height=height, name=type(error).__name__
                ),
                tr("Report this."),
            ) from error
        if found.shape != wanted.shape:
            raise UserError(
                tr("The exported model gives {shape} instead of {shape_2}.").format(
                    shape=found.shape, shape_2=wanted.shape
                ),
                tr("Report this."),
            )
        worst = max(worst, float(np.abs(found - wanted).max()))
    if worst > _TOLERANCE:
        raise UserError(
            tr("The exported model differs from the trained one by {worst:.4f} in probability.").format(worst=worst),
            tr("Report this."),
        )
    return Agreement(worst, tuple((width, height) for _, height, width in _TRIED))
