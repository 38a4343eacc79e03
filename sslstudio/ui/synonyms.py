"""What else people call what can be done; beside the table of actions. Knows nothing of Qt.

Words that stand in an action's text or tip are found anyway. Translations list the words of their own language.
"""

from __future__ import annotations

from sslstudio.language import later, tr

SYNONYMS: dict[str, str] = {
    "file.open_folder": later("new project create load pictures photos directory"),
    "file.open_project": later("load continue recent"),
    "file.open_sample": later("demo example try tutorial"),
    "file.import_masks": later("labels segmentation load ground truth"),
    "file.import_annotations": later("labels json xml polygons load ground truth"),
    "file.export_masks": later("save labels write out png json"),
    "file.measure": later("statistics area count csv spreadsheet quantify"),
    "file.refresh": later("reload rescan update"),
    "file.quit": later("exit close leave"),
    "edit.undo": later("back revert"),
    "edit.redo": later("again repeat forward"),
    "edit.classes": later("colour color labels categories legend add rename remove recolour"),
    "paint.brush": later("pencil pen draw paintbrush"),
    "paint.eraser": later("rubber erase delete remove clear unpaint"),
    "paint.polygon": later("outline shape vertices corners points"),
    "paint.lasso": later("freehand outline free form cut out"),
    "paint.wand": later("threshold tolerance region growing similar colour color select"),
    "paint.livewire": later("magnetic lasso intelligent scissors edge snap contour"),
    "paint.superpixels": later("slic watershed patches cells"),
    "paint.box": later("grabcut rectangle bounding box foreground cut out"),
    "paint.similar": later("find alike like this examples few shot"),
    "paint.fill": later("bucket flood paint bucket pour"),
    "paint.select": later("rectangle marquee region roi crop area"),
    "paint.pan": later("hand drag scroll move"),
    "paint.propose": later("attention saliency automatic auto segment suggest dino"),
    "paint.smaller": later("size thinner decrease width diameter radius"),
    "paint.larger": later("size thicker bigger increase width diameter radius"),
    "paint.swap": later("exchange switch toggle foreground"),
    "paint.square": later("shape round box rectangle"),
    "paint.sieved": later("threshold intensity range dark bright masking"),
    "paint.contiguous": later("connected neighbours global everywhere"),
    "paint.only": later("protect restrict overwrite inside behind only unpainted"),
    "paint.lock": later("protect freeze keep"),
    "paint.hide": later("invisible show eye"),
    "paint.grow": later("dilate dilation morphology expand enlarge thicken"),
    "paint.shrink": later("erode erosion morphology contract thin"),
    "paint.smooth": later("morphology open close opening closing median jagged clean"),
    "paint.specks": later("morphology noise islands small objects despeckle clean"),
    "paint.holes": later("morphology gaps close"),
    "paint.copy": later("paste duplicate last propagate"),
    "paint.interpolate": later("propagate fill slices between stack volume 3d"),
    "paint.accept": later("apply take over prediction"),
    "paint.class_next": later("label category switch"),
    "paint.class_previous": later("label category switch"),
    "view.zoom_in": later("magnify enlarge closer"),
    "view.zoom_out": later("smaller farther"),
    "view.fit": later("zoom reset fit window all"),
    "view.actual": later("zoom 100 1:1 original size"),
    "view.masks": later("labels overlay toggle hide visible"),
    "view.live": later("preview training overlay"),
    "view.prediction": later("result segmentation output"),
    "view.attention": later("heat map heatmap explain dino saliency object proposal"),
    "view.look": later("brightness contrast gamma histogram levels window channels display"),
    "view.auto": later("brightness contrast normalise normalize stretch levels"),
    "view.reset": later("brightness default original"),
    "view.smooth": later("interpolation nearest blur antialias"),
    "view.outline": later("contour border edges"),
    "view.differences": later("compare errors disagreement"),
    "view.compare": later("side by side swipe split before after"),
    "view.minimap": later("overview navigator"),
    "view.scale_bar": later("ruler micrometre units pixel size"),
    "view.browser": later("sidebar thumbnails file list gallery"),
    "view.panel": later("sidebar options right"),
    "view.map": later("embedding cluster scatter tsne umap overview"),
    "view.full_screen": later("maximise maximize fullscreen"),
    "image.previous": later("back last before"),
    "image.next": later("forward following after"),
    "image.next_unpainted": later("unlabelled todo empty skip"),
    "image.alike": later("similar neighbours nearest duplicates search"),
    "image.search": later("find filter file name"),
    "learn.pretrain": later("train self-supervised ssl dino mae start"),
    "learn.finetune": later("train segmentation start learn"),
    "learn.working": later("quality evaluate validate diagnose embedding"),
    "learn.help": later("compare evaluate baseline benchmark"),
    "learn.segment": later("predict inference apply model run"),
    "learn.predict": later("inference batch apply model all"),
    "learn.export": later("onnx save model deploy weights"),
    "run.pause": later("wait resume continue training"),
    "run.stop": later("cancel abort end training"),
    "run.details": later("progress log status loss"),
    "help.shortcuts": later("keys keyboard hotkeys change assign"),
    "help.about": later("version licence license credits"),
}
# What has no action of its own: the object that takes the keyboard, its name, what else it is called.
PLACES: tuple[tuple[str, str, str], ...] = (
    ("status.opacity", later("Overlay opacity"), later("transparency alpha strength tint mask")),
)
# What the pointer and held keys do: text, how, what else it is called, the action whose key fills “{key}”.
BY_POINTER: tuple[tuple[str, str, str, str], ...] = (
    (later("Zoom at the pointer"), later("wheel"), later("magnify scroll"), ""),
    (later("Move the image"), later("hold Space or {key}, or drag with the middle button"), later("pan"), "paint.pan"),
    (later("Brush size"), later("Shift and wheel"), later("width diameter radius"), ""),
    (
        later("Erase for a moment"),
        later("hold {key}, or Alt (where the desktop lets it through)"),
        later("rubber"),
        "paint.eraser",
    ),
    (later("A tool for a moment"), later("hold its key"), later("temporary"), ""),
    (later("Pick the class"), later("right click"), later("eyedropper pipette dropper sample colour picker"), ""),
    (later("Contrast, brightness"), later("right drag across, up and down"), later("window level"), ""),
    (later("Finish or cancel"), later("Enter or Esc"), later("close abort"), ""),
)


def told_how(how: str, key: str) -> str:
    """How the pointer does it, in the language in force; “{key}” is filled, and left out where there is no key."""
    text = tr(how)
    if key or "{key}" not in text:
        return text.format(key=key)
    return text.replace(tr(" or {key}"), "").replace(tr("{key}, or "), "")
