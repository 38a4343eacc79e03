"""Every action of the window in one table: menu, text, shortcut, icon, tip. Knows nothing of Qt.

The window makes a QAction of each row, ``sslstudio actions --json`` prints the rows, and a test keeps ids
and shortcuts unique.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sslstudio.language import later, tr

Need = Literal["", "project", "image", "run"]

CLASS_KEYS = 10  # classes that have a key of their own, the tenth 0; all of them are among the commands
MENUS = ("File", "Edit", "Paint", "View", "Image", "Learn", "Help")


@dataclass(frozen=True)
class Action:
    """One thing that can be done; several shortcuts are parted by ``; ``, ``needs`` says when it makes sense."""

    id: str
    menu: str
    text: str
    shortcut: str = ""
    icon: str = ""
    tip: str = ""
    needs: Need = ""
    checkable: bool = False
    gap: bool = False  # a line above it in its menu

    number: int = 0  # fills “{number}” in the text and the tip

    @property
    def told(self) -> str:
        """The text in the language in force."""
        return tr(self.text).format(number=self.number)

    @property
    def told_tip(self) -> str:
        """The tip in the language in force."""
        return tr(self.tip).format(number=self.number)

    @property
    def shortcuts(self) -> tuple[str, ...]:
        """The shortcuts one by one."""
        return tuple(part.strip() for part in self.shortcut.split("; ") if part.strip())

    @property
    def changes(self) -> bool:
        """Whether it writes into the project, so that there is nothing for it to do in one opened for reading."""
        return self.id in _CHANGING or (self.menu == "Paint" and self.id not in ("paint.pan", "paint.hide"))


_CHANGING = frozenset(
    (
        *("file.import_masks", "file.import_annotations", "file.refresh", "edit.undo", "edit.redo", "edit.classes"),
        *("learn.pretrain", "learn.finetune", "learn.help", "learn.predict", "learn.export", "run.pause", "run.stop"),
    )
)

_FILE = (
    Action("file.open_folder", "File", "Open folder of images…", "Ctrl+O", "folder", "Start with your own images"),
    Action("file.open_project", "File", "Open project…", "Ctrl+Shift+O", "project", "Go on with a saved project"),
    Action("file.open_sample", "File", "Try the sample", "", "sample", "Made-up cell images to try everything on"),
    Action(
        "file.import_masks",
        "File",
        "Import masks…",
        "Ctrl+I",
        "import",
        "Take over a folder of masks of any format that have the same names as your images",
        "project",
        gap=True,
    ),
    Action(
        "file.import_annotations",
        "File",
        "Import annotations file…",
        "Ctrl+Shift+I",
        "import",
        "Take over masks from a file of COCO, CVAT, labelme, Label Studio or QuPath",
        "project",
    ),
    Action(
        "file.export_masks",
        "File",
        "Export masks…",
        "Ctrl+Shift+E",
        "export",
        "Write masks for other tools: COCO, VOC, YOLO, labelme, CVAT, QuPath and more",
        "project",
    ),
    Action(
        "file.measure",
        "File",
        "Measure masks…",
        "Ctrl+Shift+M",
        "",
        "Areas and counts per image and per region, as tables (CSV)",
        "project",
    ),
    Action(
        "file.refresh", "File", "Look for new images", "F5", "refresh", "Read the images' folder once more", "project"
    ),
    Action(
        "file.show_folder", "File", "Show project folder", "", "folder", "Open the folder that holds it all", "project"
    ),
    Action(
        "file.close_project", "File", "Close project", "Ctrl+W", "", "Back to the welcome page", "project", gap=True
    ),
    Action("file.quit", "File", "Quit", "Ctrl+Q", "", "Close the window; everything painted is saved already"),
)

_EDIT = (
    Action("edit.undo", "Edit", "Undo", "Ctrl+Z", "undo", "Take back the last stroke or corner here", "image"),
    Action("edit.redo", "Edit", "Redo", "Ctrl+Shift+Z; Ctrl+Y", "redo", "Put the stroke back", "image"),
    Action(
        "edit.classes",
        "Edit",
        "Classes…",
        "Ctrl+Shift+C",
        "classes",
        "Names and colours of what you paint",
        "project",
        gap=True,
    ),
)

_PROPOSE = later("Where the network looks most, as a proposal: Enter takes it into the mask, Esc drops it")
_SIZE = later("Or patches, tolerance, likeness: what the tool has. Also Shift and wheel")
_PAINT = (
    Action("paint.brush", "Paint", "Brush", "B", "brush", "Paint with the current class", "image", checkable=True),
    Action("paint.eraser", "Paint", "Eraser", "E", "eraser", "Back to unpainted", "image", checkable=True),
    Action(
        "paint.polygon",
        "Paint",
        "Polygon",
        "P",
        "polygon",
        "Click corner by corner; the first one or Enter closes it, Esc cancels",
        "image",
        checkable=True,
    ),
    Action(
        "paint.lasso",
        "Paint",
        "Lasso",
        "O",
        "lasso",
        "Draw around it; with Alt held it is cut out",
        "image",
        checkable=True,
    ),
    Action(
        "paint.wand",
        "Paint",
        "Magic wand",
        "W",
        "wand",
        "Takes what has the same colour; drag right for more, left for less",
        "image",
        checkable=True,
    ),
    Action(
        "paint.livewire",
        "Paint",
        "Live-wire",
        "I",
        "livewire",
        "Click along an edge, the line clings to it; its start or Enter fills, Backspace takes a click back",
        "image",
        checkable=True,
    ),
    Action(
        "paint.superpixels",
        "Paint",
        "Superpixels",
        "U",
        "superpixels",
        "Paint patches of one colour that follow the image's edges",
        "image",
        checkable=True,
    ),
    Action(
        "paint.box",
        "Paint",
        "Object in a box",
        "G",
        "box",
        "Drag a box around an object to take it out of its surroundings",
        "image",
        checkable=True,
    ),
    Action(
        "paint.similar",
        "Paint",
        "Similar regions",
        "J",
        "similar",
        "Click something: all that the network finds alike is shown; Enter takes it",
        "image",
        checkable=True,
    ),
    Action("paint.fill", "Paint", "Fill", "F", "fill", "Fill a connected area with the class", "image", checkable=True),
    Action(
        "paint.select",
        "Paint",
        "Select",
        "Q",
        "select",
        "Drag a rectangle: grow, shrink, smooth and the like act only in it; Esc takes it away",
        "image",
        checkable=True,
    ),
    Action(
        "paint.pan", "Paint", "Move", "M", "pan", "Drag the image; with any tool: hold Space", "image", checkable=True
    ),
    Action("paint.propose", "Paint", "Propose the object", "Shift+X", "", _PROPOSE, "image", True, True),
    Action("paint.smaller", "Paint", "Smaller brush", "[", "minus", _SIZE, "image", gap=True),
    Action("paint.larger", "Paint", "Larger brush", "]", "plus", _SIZE, "image"),
    Action("paint.swap", "Paint", "Swap class and background", "X", "swap", "And back again", "image"),
    Action("paint.square", "Paint", "Square brush", "Shift+B", "", "Square or round", "image", checkable=True),
    Action(
        "paint.sieved",
        "Paint",
        "Brush takes some brightness",
        "Shift+T",
        "",
        "The brush passes over pixels that are darker or brighter than chosen",
        "image",
        checkable=True,
    ),
    Action("paint.pressure", "Paint", "Pen pressure", "Shift+E", "", "A tablet's pen draws thinner", "image", True),
    Action("paint.contiguous", "Paint", "Wand takes one piece", "Shift+W", "", "Or all that is alike", "image", True),
    Action(
        "paint.only",
        "Paint",
        "What a stroke changes",
        "Shift+U",
        "",
        "The next of: everything, only what is unpainted, only the current class",
        "image",
        gap=True,
    ),
    Action("paint.lock", "Paint", "Lock class", "Shift+L", "locked", "Keep what is painted with it", "image", True),
    Action("paint.hide", "Paint", "Hide class", "Shift+H", "eye_off", "It is kept as it is meanwhile", "image", True),
    Action("paint.grow", "Paint", "Grow", ".", "", "The current class reaches further", "image", gap=True),
    Action("paint.shrink", "Paint", "Shrink", ",", "", "The current class loses its rim to its neighbours", "image"),
    Action("paint.smooth", "Paint", "Smooth", "Shift+M", "", "Jags and threads of the current class go", "image"),
    Action("paint.specks", "Paint", "Remove specks", "K", "", "Small pieces of the current class go", "image"),
    Action(
        "paint.holes",
        "Paint",
        "Fill holes",
        "Shift+F",
        "",
        "What the current class encloses and is unpainted or background",
        "image",
    ),
    Action(
        "paint.copy",
        "Paint",
        "Copy previous mask",
        "C",
        "copy",
        "Paint what is painted on the image or slice before this one; for series",
        "image",
    ),
    Action(
        "paint.interpolate",
        "Paint",
        "Interpolate between slices",
        "Shift+I",
        "",
        "Fill the unpainted slices around this one from the painted ones before and after",
        "image",
    ),
    Action(
        "paint.accept",
        "Paint",
        "Accept prediction as mask",
        "Ctrl+Return",
        "check",
        "Take over what the model found, then correct it; can be undone",
        "image",
        gap=True,
    ),
    *(
        Action(
            f"paint.class_{number}",
            "Paint",
            "Class {number}",
            str(number % 10),
            "",
            "Paint with the class at place {number}",
            "project",
            checkable=True,
            gap=number == 1,
            number=number,
        )
        for number in range(1, CLASS_KEYS + 1)
    ),
    Action("paint.class_previous", "Paint", "Previous class", "Ctrl+Up", "", "As the list has them", "project"),
    Action("paint.class_next", "Paint", "Next class", "Ctrl+Down", "", "As the list has them", "project"),
)

_VIEW = (
    Action("view.zoom_in", "View", "Zoom in", "Ctrl++; Ctrl+=", "zoom_in", "Also the wheel", "image"),
    Action("view.zoom_out", "View", "Zoom out", "Ctrl+-", "zoom_out", "Also the wheel", "image"),
    Action("view.fit", "View", "Whole image", "Ctrl+0", "fit", "Fit the image into the window", "image"),
    Action("view.actual", "View", "Actual size", "Ctrl+1", "actual", "One image pixel on one screen pixel", "image"),
    Action(
        "view.masks", "View", "Show masks", "H", "eye", "Hide what is painted to see the image", "image", True, True
    ),
    Action(
        "view.live",
        "View",
        "Live overlay",
        "L",
        "live",
        "While it fine-tunes: what the model sees in this image so far; then what the finished one does",
        "image",
        True,
    ),
    Action("view.prediction", "View", "Show prediction", "R", "prediction", "What the model finds here", "image", True),
    Action(
        "view.attention",
        "View",
        "Attention",
        "T",
        "attention",
        "What the network looks at; move the pointer to ask from another place",
        "image",
        True,
    ),
    Action(
        "view.look",
        "View",
        "Contrast and channels",
        "V",
        "contrast",
        "Window, gamma, channels, histogram; only what you see changes, never what networks get",
        "project",
        True,
        True,
    ),
    Action("view.auto", "View", "Auto contrast", "Shift+A", "", "From each image's darkest and brightest", "image"),
    Action("view.reset", "View", "Reset contrast", "Shift+V", "", "Window, gamma and colours as at first", "image"),
    Action("view.smooth", "View", "Smooth pixels", "Shift+P", "", "Blend enlarged pixels", "project", True),
    Action("view.outline", "View", "Masks as outlines", "Shift+O", "", "To see what lies under them", "project", True),
    Action(
        "view.differences",
        "View",
        "Differences highlighted",
        "Shift+R",
        "",
        "In Review: stripes where the prediction says something else than the mask",
        "project",
        True,
    ),
    Action(
        "view.compare",
        "View",
        "Compare otherwise",
        "Y",
        "",
        "In Review, the next of: prediction over the image, beside it, under a swipe",
        "project",
    ),
    Action("view.grid", "View", "Pixel grid", "Shift+G", "", "Where pixels are large", "project", True),
    Action("view.minimap", "View", "Minimap", "N", "", "While a part of the image is in sight", "project", True),
    Action(
        "view.scale_bar", "View", "Scale bar", "Shift+N", "", "Where the file knows its pixel size", "project", True
    ),
    Action(
        "view.browser", "View", "Image list", "Ctrl+B", "sidebar", "Fold or unfold the left side", "project", True, True
    ),
    Action("view.panel", "View", "Step panel", "Ctrl+J", "panel", "Fold or unfold the right side", "project", True),
    Action("view.map", "View", "Map of the folder", "Ctrl+M", "map", "Alike images lie together", "project", True),
    Action("view.full_screen", "View", "Full screen", "F11", "", "Only the window", "", True),
    Action("looks.system", "View", "Colours: as the system", "", "", "Light or dark", checkable=True, gap=True),
    Action("looks.light", "View", "Colours: light", "", "", "Dark on light, whatever the system has", checkable=True),
    Action("looks.dark", "View", "Colours: dark", "", "", "Light on dark, whatever the system has", checkable=True),
)

_SLICE = later("Of this stack; from an image that is none, the image beside it")
_IMAGE = (
    Action("image.previous", "Image", "Previous image", "A", "previous", "", "project"),
    Action("image.next", "Image", "Next image", "D", "next", "", "project"),
    Action("image.next_unpainted", "Image", "Next unpainted image", "Shift+D", "", "Skip what is painted", "project"),
    Action("image.slice_previous", "Image", "Previous slice", "PgUp", "", _SLICE, "project", gap=True),
    Action("image.slice_next", "Image", "Next slice", "PgDown", "", _SLICE, "project"),
    Action("image.stack_previous", "Image", "Previous file", "Shift+PgUp", "", "Past all slices of a stack", "project"),
    Action("image.stack_next", "Image", "Next file", "Shift+PgDown", "", "Past all slices of a stack", "project"),
    Action(
        "image.alike",
        "Image",
        "Images like this one",
        "Shift+S",
        "images",
        "List those that the network finds most alike",
        "image",
        gap=True,
    ),
    Action(
        "image.similar",
        "Image",
        "Similar regions in the folder",
        "Shift+J",
        "similar",
        "Which images have more of what is pointed at",
        "image",
    ),
    Action("image.search", "Image", "Search by name", "Ctrl+F", "search", "", "project", gap=True),
)

_FOLDER_RUN = later("A run over the whole folder")
_STEPS = (
    ("images", later("Go to Images")),
    ("pretrain", later("Go to Pretrain")),
    ("paint", later("Go to Paint")),
    ("finetune", later("Go to Fine-tune")),
    ("review", later("Go to Review")),
    ("export", later("Go to Export")),
)

_LEARN = (
    Action(
        "learn.pretrain",
        "Learn",
        "Start pretraining",
        "Ctrl+Shift+T",
        "pretrain",
        "Learn from the images alone, without masks",
        "project",
    ),
    Action(
        "learn.finetune", "Learn", "Fine-tune", "Ctrl+T", "finetune", "Learn from the masks that you painted", "project"
    ),
    Action(
        "learn.working",
        "Learn",
        "Is it working?",
        "Ctrl+Shift+K",
        "check_circle",
        "What the network knows about your images, in figures and on a map",
        "project",
        gap=True,
    ),
    Action(
        "learn.help",
        "Learn",
        "Did pretraining help?",
        "",
        "tip",
        "Trains on some of your masks and tests on the others, with and without pretraining",
        "project",
    ),
    Action("learn.segment", "Learn", "Segment this image", "S", "segment", "Ask the newest model", "image", gap=True),
    Action("learn.predict", "Learn", "Segment all images", "Ctrl+Shift+R", "predict", _FOLDER_RUN, "project"),
    Action("learn.export", "Learn", "Export model…", "Ctrl+E", "export", "ONNX, backbone, model card", "project"),
    Action(
        "run.pause", "Learn", "Pause or go on", "Ctrl+Shift+P", "pause", "The run keeps its memory", "run", gap=True
    ),
    Action("run.stop", "Learn", "Stop and keep", "Ctrl+.", "stop", "What was learned so far stays usable", "run"),
    Action("run.details", "Learn", "Show what runs", "Ctrl+R", "", "Share, time left, figures", "project"),
    *(
        Action(
            f"go.{step}",
            "Learn",
            text,
            f"Alt+{number}",
            "",
            "Step {number}",
            "project",
            gap=number == 1,
            number=number,
        )
        for number, (step, text) in enumerate(_STEPS, 1)
    ),
)

_HELP = (
    Action("help.palette", "Help", "Commands", "Ctrl+K", "search", "Find what can be done by a few letters"),
    Action("help.shortcuts", "Help", "Keyboard shortcuts", "F1", "keyboard", "All keys, each to be changed"),
    Action("language.system", "Help", "Language: as the system", "", "", "At the next start", checkable=True, gap=True),
    Action("language.en", "Help", "Language: English", "", "", "At the next start", checkable=True),
    Action("language.de", "Help", "Language: Deutsch", "", "", "At the next start", checkable=True),
    Action("help.about", "Help", "About SSL Studio", "", "info", "Version, licences, where things are", gap=True),
)

ACTIONS: tuple[Action, ...] = (*_FILE, *_EDIT, *_PAINT, *_VIEW, *_IMAGE, *_LEARN, *_HELP)
BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}
