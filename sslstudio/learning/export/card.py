"""The model card: what a model was made from, how good it is, and how to use it."""

from __future__ import annotations

from typing import Any

from sslstudio.images.display import WINDOW

_READ_RGB = """from PIL import Image
pixels = np.asarray(Image.open("image.png").convert("RGB"), np.float32).transpose(2, 0, 1)[None]"""

_READ_GREY = """from PIL import Image
pixels = np.asarray(Image.open("image.png").convert("L"), np.float32)[None, None]"""

_READ_BANDS = """import tifffile
pixels = tifffile.imread("image.tif")  # ({channels}, H, W) or (H, W, {channels})
pixels = pixels if len(pixels) == {channels} else pixels.transpose(2, 0, 1)
if pixels.dtype != np.uint8:  # each band between its own percentiles
    low, high = np.percentile(pixels, ({low}, {high}), axis=(1, 2), keepdims=True)
    pixels = ((pixels - low) * 255 / np.maximum(high - low, 1e-9)).clip(0, 255).round()
pixels = pixels.astype(np.float32)[None]"""

# PIL would cut 16 bits off at 255, and all would be white.
_READ_DEEP = """```python
import numpy as np, tifffile
pixels = tifffile.imread("image.tif").astype(np.float64)  # {shape}
low, high = np.percentile(pixels, ({low}, {high}))
pixels = ((pixels - low) * 255 / max(high - low, 1e-9)).clip(0, 255).round()
pixels = pixels if pixels.ndim == 3 else np.stack([pixels] * {channels}, 2)
pixels = pixels.astype(np.float32).transpose(2, 0, 1)[None]
```"""

_USE_ONNX = """```python
import numpy as np, onnxruntime
{read}
session = onnxruntime.InferenceSession("{onnx}")
labels = session.run(None, {{"images": pixels}})[0][0].argmax(0)  # (H, W): 0 is “{first}”
```"""

_USE_BACKBONE = """```python
import timm, safetensors.torch
backbone = timm.create_model("{backbone}", num_classes=0{more})
backbone.load_state_dict(safetensors.torch.load_file("{file}"), strict=False)
```"""


def model_card(about: dict[str, Any], *, onnx: str = "model.onnx", backbone: str = "backbone.safetensors") -> str:
    """The card in Markdown from what ``model.json`` says and the names of the exported files."""
    channels = int(about.get("channels", 3))
    parts = [
        f"# {about['name']}",
        _summary(about),
        "## Classes",
        _classes(about),
        "## Quality",
        _quality(about),
        "## Data",
        _data(about),
        "## Use",
        f"The ONNX file takes {_what(channels)} of any size with values from 0 to 255 and gives each class's "
        "probability per pixel. Shrinking and normalising are inside.",
        _USE_ONNX.format(read=_read(channels), onnx=onnx, first=about["classes"][0]["name"]),
        *_deep(channels),
        "The backbone alone, for timm:",
        _USE_BACKBONE.format(
            backbone=about["backbone"], file=backbone, more="" if channels == 3 else f", in_chans={channels}"
        ),
        "## Settings",
        _table(("Setting", "Value"), [(k, v) for k, v in about.get("recipe", {}).items()]),
        "## Versions",
        _table(("Package", "Version"), list(about.get("versions", {}).items())),
    ]
    return "\n\n".join(parts) + "\n"


def _what(channels: int) -> str:
    return {1: "grey images", 3: "RGB images"}.get(channels, f"images with {channels} bands")


def _read(channels: int) -> str:
    """Code that reads an image as the network wants it."""
    if channels in (1, 3):
        return _READ_GREY if channels == 1 else _READ_RGB
    return _READ_BANDS.format(channels=channels, low=WINDOW[0], high=WINDOW[1])


def _deep(channels: int) -> list[str]:
    """How images of more than 8 bits become what the network learned from; of many bands the code above says it."""
    if channels not in (1, 3):
        return []
    words = "Images of 16 bits or of floats were stretched while it learned, so stretch them here, too, before asking:"
    shape = "(H, W)" if channels == 1 else "(H, W) or (H, W, 3)"
    return [words, _READ_DEEP.format(low=WINDOW[0], high=WINDOW[1], channels=channels, shape=shape)]


def _summary(about: dict[str, Any]) -> str:
    start = f"the pretraining run `{about['encoder_run']}`" if about.get("encoder_run") else _start(about)
    training = about.get("training", {})
    steps = f", {training['steps']} steps in {training['minutes']} minutes" if training else ""
    shrink = about.get("shrink", 1)
    scale = f" Images are seen {shrink} times smaller." if shrink > 1 else ""
    return (
        f"A segmentation model: `{about['backbone']}` with a {about['decoder']} decoder, started from {start}{steps}. "
        f"Made with SSL Studio on {about.get('created', 'an unknown day')}.{scale}"
    )


def _start(about: dict[str, Any]) -> str:
    start = str(about.get("recipe", {}).get("start", "scratch"))
    return {"scratch": "random weights", "timm": "timm's published weights"}.get(start, f"`{start}`")


def _classes(about: dict[str, Any]) -> str:
    pixels = about.get("data", {}).get("pixels", {})
    rows = [
        (number, entry["name"], entry["colour"], f"{pixels.get(entry['name'], 0):,}")
        for number, entry in enumerate(about["classes"])
    ]
    return _table(("Value", "Class", "Colour", "Painted pixels"), rows)


def _quality(about: dict[str, Any]) -> str:
    metrics = about.get("metrics", {})
    if "miou" not in metrics:
        return "Not measured: too few painted images to keep some for measuring."
    count = len(about.get("data", {}).get("validation_images", []))
    rows = [("mean IoU", f"{metrics['miou']:.3f}")]
    rows += [(f"IoU {k.removeprefix('iou/')}", f"{v:.3f}") for k, v in metrics.items() if k.startswith("iou/")]
    if "pixel_accuracy" in metrics:
        rows.append(("pixel accuracy", f"{metrics['pixel_accuracy']:.3f}"))
    noun = "image" if count == 1 else "images"
    return f"Measured on {count} painted {noun} that the model did not learn from.\n\n" + _table(
        ("Figure", "Value"), rows
    )


def _data(about: dict[str, Any]) -> str:
    data = about.get("data", {})
    lines = [f"{len(data.get('training_images', []))} painted images to learn from:", _list(data, "training_images")]
    if data.get("validation_images"):
        lines += [f"{len(data['validation_images'])} to measure on:", _list(data, "validation_images")]
    return "\n\n".join(lines)


def _list(data: dict[str, Any], key: str) -> str:
    names = data.get(key, [])
    shown = [f"- `{name}`" for name in names[:50]]
    if len(names) > 50:
        shown.append(f"- … and {len(names) - 50} more")
    return "\n".join(shown)


def _table(head: tuple[str, ...], rows: list[tuple]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)
