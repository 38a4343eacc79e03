"""The command line: the same runs as the window. Nothing here loads torch; that is the workers' part."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sslstudio import checking, commands, mask_commands
from sslstudio.errors import UserError
from sslstudio.project.holder import introduce

if TYPE_CHECKING:
    from sslstudio.commands import Output

DONE, UNEXPECTED, USER_CAN_MEND = 0, 1, 2  # exit codes


class _Parser(argparse.ArgumentParser):
    """Tells mistakes like everything else that the user can mend."""

    def error(self, message: str) -> NoReturn:
        """Raise the mistake as a UserError in place of ending the program."""
        raise UserError(message[:1].upper() + message[1:] + ".", f"See “{self.prog} --help”.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    try:
        if words == ["--version"]:
            print(commands.version())
            return DONE
        if _means_window(words):
            return _open_window(words)
        chosen = parser().parse_args(words)
        introduce(words[0])
        _let_sigterm_stop()
        _show(chosen.run(chosen), as_json)
        return DONE
    except UserError as error:
        return _tell(error, as_json, USER_CAN_MEND)
    except commands.Broken as error:
        return _tell(UserError(str(error)), as_json, UNEXPECTED)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        if as_json:
            print(json.dumps({"stopped": True}))
        return DONE
    except BrokenPipeError:  # the reader of a pipe had enough, as “| head” does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return DONE
    except OSError as error:  # a path that the system refuses: too long, not allowed, a disk that is gone
        what = f"{str(error.filename)[:200]}: " if error.filename else ""
        refused = UserError(f"{what}{error.strerror or error}.", "Check the paths that you gave.")
        return _tell(refused, as_json, USER_CAN_MEND)


def _tell(error: UserError, as_json: bool, code: int) -> int:
    """Tell what went wrong, for people and for programs; returns the exit code."""
    sys.stderr.write(f"sslstudio: {error}\n")
    if as_json:
        print(json.dumps({"error": {"problem": error.problem, "advice": error.advice}}))
    return code


def _show(output: Output, as_json: bool) -> None:
    print(json.dumps(output.values, ensure_ascii=False) if as_json else output.text, flush=True)


def _let_sigterm_stop() -> None:
    """A polite end from outside means what Ctrl+C means: stop and keep."""

    def on_signal(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, on_signal)


# the window --------------------------------------------------------------------------------------------------


def _means_window(words: list[str]) -> bool:
    """Whether the words are nothing, or one folder or project, instead of a command."""
    if not words:
        return True
    first = words[0]
    if first in COMMANDS or first.startswith("-"):
        return False
    if len(words) == 1 and Path(first).exists():
        return True
    near = difflib.get_close_matches(first, list(COMMANDS), n=1)
    hint = f"Did you mean “{near[0]}”?" if near else f"Commands: {', '.join(COMMANDS)}."
    raise UserError(f"“{first}” is neither a command nor a folder.", hint)


def _open_window(words: list[str]) -> int:
    wants_screen = sys.platform.startswith("linux") and not os.environ.get("QT_QPA_PLATFORM")
    if wants_screen and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UserError("There is no display to open a window on.", "“./studio demo” shows the whole way without one.")
    from sslstudio.ui.app import main as open_window

    return int(open_window(str(Path(words[0]).absolute()) if words else None) or 0)


# the words ---------------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """The whole command line; every command has ``run``, which takes the parsed words and gives an Output."""
    about = "From a folder of images to a segmentation model. With no command, or with a folder: opens the window."
    top = _Parser(prog="sslstudio", description=about, allow_abbrev=False)
    top.add_argument("--version", action="store_true", help="print the version")
    under = top.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for name, (run, declare) in COMMANDS.items():
        sub = under.add_parser(name, help=run.__doc__, description=run.__doc__, allow_abbrev=False)
        sub.add_argument("--json", action="store_true", help="print one JSON object as the last line")
        sub.set_defaults(run=run)
        declare(sub)
    return top


def _nothing(sub: argparse.ArgumentParser) -> None:
    del sub


def _project(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("project", type=Path, metavar="PROJECT", help="the project folder")


def _new(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("--images", type=Path, required=True, metavar="FOLDER", help="where the images are")
    sub.add_argument("--classes", default="", metavar="A,B", help="names of the classes; the first is pixel value 0")


# The table of formats loads OpenCV and Pillow, which “--help” need not wait for; a test keeps the two equal.
MASK_FORMATS = (
    *("coco", "coco-rle", "labelstudio", "labelme", "qupath", "cvat", "yolo", "voc", "tiff", "rgb", "palette", "grey"),
)


def _import_masks(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("--from", dest="source", type=Path, required=True, metavar="PATH", help="a folder or a file")
    sub.add_argument("--format", default="", choices=MASK_FORMATS, help="told from the content if not given")
    sub.add_argument("--preview", action="store_true", help="tell what would happen, and change nothing")
    sub.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FROM=TO",
        help="255=1 for masks of black and white; nuclei=cell or nuclei=unpainted for classes with names",
    )
    sub.add_argument(
        "--uncovered",
        default="",
        choices=("background", "unpainted"),
        help="what pixels without a shape are; told from the file if not given",
    )


def _export_masks(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("--format", required=True, choices=MASK_FORMATS)
    sub.add_argument("--out", type=Path, required=True, metavar="DIR")
    sub.add_argument("--model", default="", metavar="NAME", help="its predictions in place of what was painted")
    sub.add_argument("--coloured", action="store_true", help="coloured pictures beside the masks")
    sub.add_argument("--overlay", action="store_true", help="the images with their masks shining over them")


def _measure(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("--out", type=Path, required=True, metavar="CSV", help="regions go to <name>_regions.csv")
    sub.add_argument("--model", default="", metavar="NAME", help="its predictions in place of what was painted")


def _recipe(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--minutes", type=float, help="how long it may take; fractions are allowed")
    sub.add_argument("--preset", help="kind of images: natural, microscopy, xray, satellite, industrial")
    sub.add_argument("--backbone", metavar="NAME", help="see “sslstudio backbones”; any timm name")
    sub.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="KEY=VALUE", help="see “sslstudio settings”"
    )
    sub.add_argument(
        "--resume", default="", metavar="RUN", help="go on with this run from its last checkpoint, if it has one"
    )


def _pretrain(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("--method", help="see “sslstudio methods”")
    _recipe(sub)


def _finetune(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("--run", dest="encoder_run", default="", metavar="RUN", help="start from this pretraining run")
    sub.add_argument("--model", default="", metavar="NAME", help="name of the new model")
    _recipe(sub)


def _predict(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("--model", default="", metavar="NAME", help="the newest if not given")
    sub.add_argument("--images", type=Path, metavar="DIR", help="the project's own if not given")
    sub.add_argument("--out", type=Path, metavar="DIR", help="the project's predictions if not given")


def _evaluate(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--predictions", type=Path, required=True, metavar="DIR")
    sub.add_argument("--masks", type=Path, required=True, metavar="DIR")
    sub.add_argument("--classes", required=True, metavar="K", help="how many, or their names: background,nucleus")


def _export(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("--model", default="", metavar="NAME", help="the newest if not given")
    sub.add_argument("--format", default="all", choices=("onnx", "backbone", "all"))
    sub.add_argument("--out", type=Path, metavar="FILE", help="a file; a folder for “all”")


def _attention(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("image", metavar="IMAGE", help="an image of the project, or any image file")
    sub.add_argument("--run", dest="encoder_run", default="", metavar="RUN", help="the newest if not given")
    sub.add_argument("--backbone", default="", metavar="NAME", help="a timm name, instead of a run")
    sub.add_argument("--block", type=int, default=-1, help="which block of the network; the last if not given")
    sub.add_argument("--at", nargs=2, type=float, metavar=("X", "Y"), help="the pixel whose view is shown")
    sub.add_argument("--out", type=Path, required=True, metavar="PNG")


def _network(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("--run", dest="encoder_run", default="", metavar="RUN", help="the newest if not given")
    sub.add_argument("--backbone", default="", metavar="NAME", help="a timm name, instead of a run")
    sub.add_argument("--published", action="store_true", help="with timm's published weights, not random ones")


def _similar(sub: argparse.ArgumentParser) -> None:
    _network(sub)
    sub.add_argument("image", metavar="IMAGE", help="an image of the project")
    sub.add_argument("--count", type=int, default=12, help="how many; 12 if not given")


def _did_it_help(sub: argparse.ArgumentParser) -> None:
    _project(sub)
    sub.add_argument("--run", dest="encoder_run", default="", metavar="RUN", help="the newest if not given")
    sub.add_argument("--minutes", type=float, help="how long it may take; 10 if not given")


def _demo(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--out", type=Path, metavar="DIR", help="where to put everything")
    sub.add_argument("--quick", action="store_true", help="a few seconds per stage: shows the way, not the quality")
    sub.add_argument("--minutes-total", type=float, default=8.0, help="how long all of it may take")


def _tour(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to put the pictures")


def _backbones(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--search", default="", metavar="TEXT", help="words in name, family, weights or licence")
    sub.add_argument("--family", default="", metavar="NAME", help="for example ViT, ResNet or ConvNeXt")
    sub.add_argument("--all", action="store_true", help="every one that can be used")
    sub.add_argument("--measure", action="store_true", help="first measure how fast this machine is; half a minute")


def _inspect(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("file", type=Path, metavar="FILE", help="a .safetensors, .pth, .pt or .bin file")
    sub.add_argument("--backbone", default="", metavar="NAME", help="the one to fit; told from the file if not given")


Command = tuple[Callable[[Any], "Output"], Callable[[argparse.ArgumentParser], None]]

COMMANDS: dict[str, Command] = {
    "new": (commands.new, _new),
    "import-masks": (mask_commands.import_masks, _import_masks),
    "export-masks": (mask_commands.export_masks, _export_masks),
    "measure": (mask_commands.measure, _measure),
    "pretrain": (commands.pretrain, _pretrain),
    "finetune": (commands.finetune, _finetune),
    "predict": (commands.predict, _predict),
    "evaluate": (commands.evaluate, _evaluate),
    "export": (commands.export, _export),
    "attention": (commands.attention, _attention),
    "evaluate-features": (checking.evaluate_features, _network),
    "similar": (checking.similar, _similar),
    "map": (checking.folder_map, _network),
    "did-it-help": (checking.did_it_help, _did_it_help),
    "runs": (commands.runs, _project),
    "models": (commands.models, _project),
    "methods": (commands.methods, _nothing),
    "backbones": (commands.backbones, _backbones),
    "inspect-checkpoint": (commands.inspect_checkpoint, _inspect),
    "settings": (commands.settings, _nothing),
    "actions": (commands.actions, _nothing),
    "demo": (commands.demo, _demo),
    "tour": (commands.tour, _tour),
}


if __name__ == "__main__":
    sys.exit(main())
