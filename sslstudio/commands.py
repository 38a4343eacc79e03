"""What the commands do: each takes the parsed words and gives an Output. Imports late, to answer fast."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sslstudio.project.project import Project
    from sslstudio.runs.folder import RunSummary
    from sslstudio.runs.request import Request


@dataclass(frozen=True)
class Output:
    """What a command found out: ``text`` for people, ``values`` for ``--json``."""

    text: str
    values: dict[str, Any] = field(default_factory=dict)


class Broken(Exception):
    """Something that the user cannot mend; told in one sentence, with exit code 1."""


def version() -> str:
    """The program's version."""
    from importlib.metadata import version as installed

    return installed("sslstudio")


# projects ----------------------------------------------------------------------------------------------------


def new(words: Namespace) -> Output:
    """Make a project for a folder of images."""
    from sslstudio.project.project import Project

    names = tuple(name.strip() for name in words.classes.split(",") if name.strip())
    with Project.create(words.project, words.images, names) as project:
        problems = [{"file": record.path, "reason": record.problem} for record in project.check_files()]
        count = len(project.images())
        path = str(project.path)
    lines = [f"{path}: {count - len(problems)} usable images of {count}."]
    lines += [f"  skipped {row['file']}: {row['reason']}" for row in problems]
    return Output("\n".join(lines), {"project": path, "images": count, "classes": names, "problems": problems})


def project_path(given: Path) -> Path:
    """The project folder that was meant, with or without its suffix."""
    from sslstudio.project.places import holds_project, meant

    found = meant(given)
    if not found.is_dir():
        raise UserError(f"There is no project {given}.", "Make one: sslstudio new PROJECT --images FOLDER.")
    if not holds_project(found):
        raise UserError(f"{given} is not a project.", "Make one: sslstudio new PROJECT --images FOLDER.")
    return found


def read_project(given: Path) -> Project:
    """The project opened beside a window that may have it open, too."""
    from sslstudio.project.project import Project

    return Project.open(project_path(given), write=False)


# runs --------------------------------------------------------------------------------------------------------


def pretrain(words: Namespace) -> Output:
    """Learn from the images themselves."""
    from sslstudio.recipes.overrides import pull, with_settings
    from sslstudio.recipes.suggest import in_words
    from sslstudio.runs.follow import Teller
    from sslstudio.runs.prepare import default_pretrain_recipe, preset_of, pretrain_request

    if words.resume:
        return _resume(words)
    given = pull(words.settings, "method", "backbone", "minutes", "preset", "channels")
    with read_project(words.project) as project:
        preset = words.preset or given.get("preset") or preset_of(project)
        recipe, reasons = default_pretrain_recipe(
            project,
            minutes_of(words.minutes, given, 10.0),
            preset,
            words.backbone or given.get("backbone"),
            words.method or given.get("method"),
        )
        recipe = with_settings(recipe, words.settings)
        request = pretrain_request(project, recipe)
    said = in_words(recipe, [reason for reason in reasons if reason.key not in given])
    Teller().line(said)
    done = _work(words, request, recipe.method.id)
    return Output(done.text, {**done.values, "method": recipe.method.id, "why": said})


def finetune(words: Namespace) -> Output:
    """Train a model on the painted masks."""
    from sslstudio.recipes.overrides import pull, with_settings
    from sslstudio.recipes.suggest import why_channels
    from sslstudio.runs.folder import find_run
    from sslstudio.runs.follow import Teller
    from sslstudio.runs.prepare import (
        default_finetune_recipe,
        encoder_backbone,
        encoder_method,
        finetune_request,
        latest_encoder,
        preset_of,
    )

    if words.resume:
        return _resume(words)
    given = pull(words.settings, "backbone", "minutes", "preset", "channels")
    backbone = words.backbone or given.get("backbone")
    if words.encoder_run and backbone:
        raise UserError("“--run” brings its own backbone.", "Give either --run or --backbone.")
    with read_project(words.project) as project:
        encoder = find_run(project.path, words.encoder_run) if words.encoder_run else None
        if encoder is None and not backbone:
            encoder = latest_encoder(project.path)
        preset = words.preset or given.get("preset") or preset_of(project)
        minutes = minutes_of(words.minutes, given, 5.0)
        name = encoder_backbone(encoder) if encoder else backbone
        by = encoder_method(encoder) if encoder else ""
        recipe, reasons = default_finetune_recipe(project, minutes, preset, name, by)
        recipe = with_settings(recipe, words.settings)
        request = finetune_request(project, recipe, encoder.id if encoder else "", words.model)
    if (said := why_channels(reasons)) and "channels" not in given:
        Teller().line(said)
    return _work(words, request, request.model)


def minutes_of(said: float | None, given: dict[str, str], usual: float) -> float:
    """Minutes from ``--minutes``, else from ``--set minutes=…``, else the usual."""
    if said is not None:
        return said
    try:
        return float(given.get("minutes", usual))
    except ValueError:
        raise UserError(f"“{given['minutes']}” is not a number of minutes.", "For example: --minutes 2.5.") from None


def predict(words: Namespace) -> Output:
    """Segment images with a fine-tuned model into palette PNG files."""
    from sslstudio.runs.prepare import predict_request

    with read_project(words.project) as project:
        request = predict_request(project, words.model, words.images, words.out)
    return _work(words, request, request.model)


def export(words: Namespace) -> Output:
    """Write a model for other programs, checked before it is called done."""
    from sslstudio.runs.prepare import export_request

    with read_project(words.project) as project:
        request = export_request(project, words.model, words.format, words.out)
    return _work(words, request, request.model)


def _work(words: Namespace, request: Request, name: str) -> Output:
    from sslstudio.runs.place import create_run

    return work(create_run(project_path(words.project), request, name))


def _resume(words: Namespace) -> Output:
    from sslstudio.runs.folder import find_run

    return work(find_run(project_path(words.project), words.resume), again=True)


def work(run: Any, *, again: bool = False) -> Output:
    """Carry out a run in the foreground, told on standard error."""
    from sslstudio.runs.follow import Teller, WorkerDied, carry_out
    from sslstudio.runs.naming import resuming

    teller = Teller()
    teller.line(f"Run {run.id}")
    try:
        summary = carry_out(run, teller, again=again)
    except WorkerDied as error:
        told = run.summary()
        raise Broken(f"{error} “--resume {run.id}” {resuming(told.kind, told.checkpoint)}.") from None
    finally:
        teller.close()
    return Output(_told(summary), {**_row(summary), "result": summary.result})


def _row(summary: RunSummary) -> dict[str, Any]:
    return {
        "id": summary.id,
        "kind": summary.kind,
        "state": summary.state.value,
        "minutes": round(summary.minutes, 3),
        "metrics": summary.metrics,
        "folder": str(summary.folder),
    }


def _told(summary: RunSummary) -> str:
    figures = "".join(f"\n  {key.replace('_', ' ')}: {_plain(value)}" for key, value in summary.result.items())
    return f"{summary.id}: {summary.state.value} after {summary.minutes:.1f} min{figures}"


def _plain(value: object) -> str:
    """A figure of a result for people: rounded, without brackets."""
    if isinstance(value, dict):
        return str(value["problem"]) if "problem" in value else _listed(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return _listed(_plain(one) for one in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


def runs(words: Namespace) -> Output:
    """List the runs of a project."""
    from sslstudio.runs.folder import runs_of

    rows = [{**_row(s), "result": s.result} for s in (run.summary() for run in runs_of(project_path(words.project)))]
    lines = [f"{row['state']:12} {row['minutes']:7.1f} min  {row['id']}" for row in rows]
    return Output("\n".join(lines) or "No runs yet.", {"runs": rows})


def models(words: Namespace) -> Output:
    """List the fine-tuned models of a project."""
    from sslstudio.runs.prepare import models_of

    found = models_of(project_path(words.project))
    rows = [
        {"name": m.name, "folder": str(m.folder), "classes": [c.name for c in m.classes], "metrics": m.metrics}
        for m in found
    ]
    lines = [f"{m.name}  mIoU {m.metrics['miou']:.3f}" if "miou" in m.metrics else m.name for m in found]
    return Output("\n".join(lines) or "No models yet.", {"models": rows})


# looking -----------------------------------------------------------------------------------------------------


def evaluate(words: Namespace) -> Output:
    """Compare predicted masks with true ones; unpainted pixels (255) are left out."""
    from sslstudio.learning.segmentation.folders import compare_folders

    comparison = compare_folders(words.predictions, words.masks, _classes(words.classes))
    for name in comparison.missing:
        sys.stderr.write(f"Note: {name} has no prediction and is left out.\n")
    confusion = comparison.confusion
    if comparison.outside:
        last = len(confusion.names) - 1
        sys.stderr.write(
            f"Note: {comparison.outside} pixels of the masks have a class above {last} and are left out.\n"
        )
    if not confusion.pixels:
        raise UserError(f"Nothing is painted in the masks in {words.masks}.", "Check --classes and the masks.")
    values = {
        "miou": confusion.miou(),
        "iou": confusion.iou(),
        "dice": confusion.dice(),
        "pixel_accuracy": confusion.pixel_accuracy(),
        "images": comparison.images,
        "missing": list(comparison.missing),
        "outside": comparison.outside,
    }
    lines = [f"mIoU {confusion.miou():.3f} over {comparison.images} images"]
    lines += [f"  {name}: IoU {value:.3f}" for name, value in confusion.iou().items()]
    return Output("\n".join(lines), values)


def _classes(given: str) -> int | list[str]:
    names = [name.strip() for name in given.split(",") if name.strip()]
    if len(names) == 1 and names[0].isdecimal():
        if not 1 <= int(names[0]) <= 255:
            raise UserError(f"There cannot be {given} classes.", "Give a number from 1 to 255, or their names.")
        return int(names[0])
    if len(names) < 2:
        raise UserError(f"“{given}” names no classes.", "Give a number, or names: background,nucleus.")
    return names


def attention(words: Namespace) -> Output:
    """Paint where an encoder looks in one image, per head and on average."""
    from sslstudio.images.attention_sheet import write_sheet
    from sslstudio.images.slices import file_of
    from sslstudio.queries.client import ask_once
    from sslstudio.queries.messages import AttentionQuery
    from sslstudio.runs.folder import find_run
    from sslstudio.runs.prepare import encoder_folder, latest_encoder

    with read_project(words.project) as project:
        image = Path(words.image) if file_of(words.image).is_file() else project.image_file(words.image)
        run = find_run(project.path, words.encoder_run) if words.encoder_run else latest_encoder(project.path)
    encoder = words.backbone or (str(encoder_folder(run)) if run else "vit_tiny_patch16_224")
    at = _inside(image, words.at) if words.at else None
    answer = ask_once(AttentionQuery(str(image.absolute()), encoder, words.block, at))
    maps = answer.arrays["maps"]
    write_sheet(image, maps, words.out)
    values = {"out": str(words.out.absolute()), "encoder": encoder, "heads": len(maps) - 1, "grid": maps.shape[1:]}
    return Output(str(words.out), values)


def _inside(image: Path, at: list[float]) -> tuple[float, float]:
    """The place (x, y) in image pixels; raises UserError with the allowed range when it is not on the image."""
    from sslstudio.images.reader import probe

    info = probe(image)
    x, y = at
    if not (0 <= x < info.width and 0 <= y < info.height):
        raise UserError(
            f"--at {x:g} {y:g} is not on {image.name}, which has {info.width} × {info.height} pixels.",
            f"X goes from 0 to {info.width - 1}, Y from 0 to {info.height - 1}.",
        )
    return x, y


# what there is -----------------------------------------------------------------------------------------------


def methods(words: Namespace) -> Output:
    """List the self-supervised methods."""
    del words
    from sslstudio.recipes.methods import METHODS

    rows = [
        {"id": m.id, "name": m.name, "year": m.year, "paper": m.paper, "backbones": list(m.backbones),
         "summary": m.summary}
        for m in METHODS.values()
    ]  # fmt: skip
    return Output("\n".join(f"{row['id']:12} {row['summary']}" for row in rows), {"methods": rows})


def backbones(words: Namespace) -> Output:
    """List the backbones, with what a training step of each takes on this machine."""
    from sslstudio.recipes.catalogue import catalogue, find
    from sslstudio.recipes.machine import RECOMMENDED, estimate, machine

    if words.measure:
        from sslstudio.runs.inspect import measure_machine

        measure_machine()
    here = machine()
    found = catalogue().values() if words.all else find(words.search)
    if not (words.all or words.search or words.family or words.json):
        found = [catalogue()[a.name] for a in RECOMMENDED if a.name in catalogue()]
    chosen = [row for row in found if words.family.lower() in row.family.lower()]
    reasons = {advice.name: advice.reason for advice in RECOMMENDED}
    rows, lines = [], []
    for row in chosen:
        took = estimate(row, here)
        about = {"memory_gb": round(took.memory / 1e9, 2), "seconds_per_step": round(took.seconds, 3)}
        values = asdict(row) | {"licence": row.licence, "pretrained": bool(row.weights), "about": about}
        rows.append(values | {"guessed": took.guessed, "reason": reasons.get(row.name, "")})
        lines.append(f"{row.name:42} {row.parameters / 1e6:7.1f} M  {row.patch:3} px  {took.words:26} {row.licence}")
    how = "guessed from the cores; “--measure” measures it" if not here.measured else f"measured on {here.device}"
    lines.append(f"A step: 64 images as two views of 128 pixels. This machine's speed is {how}.")
    if not chosen:
        raise UserError(f"No backbone is called like “{words.search or words.family}”.", "Try fewer letters.")
    if not (words.all or words.search or words.family):
        lines.append(f"{len(catalogue())} more: --search TEXT, --family NAME, --all.")
    return Output("\n".join(lines), {"backbones": rows})


def inspect_checkpoint(words: Namespace) -> Output:
    """Tell whose checkpoint a file is and what of it a backbone would use; nothing in it is run."""
    from sslstudio.runs.inspect import inspect_checkpoint as ask

    found = ask(words.file, words.backbone)
    lines = [f"{found['file']}: {found['tensors']} tensors, {found['origin']}."]
    lines += [f"Backbone: {found['backbone']}."] if found["backbone"] else []
    lines += [text for text in (found["told"], found["problem"]) if text]
    return Output("\n".join(lines), found)


def settings(words: Namespace) -> Output:
    """List every setting that “--set” reaches."""
    del words
    from sslstudio.recipes.finetune import FinetuneRecipe
    from sslstudio.recipes.methods import METHODS
    from sslstudio.recipes.pretrain import PretrainRecipe
    from sslstudio.recipes.settings import Recipe, settings_of

    recipes: dict[str, type[Recipe]] = {"pretrain": PretrainRecipe, "finetune": FinetuneRecipe}
    recipes |= {f"pretrain --method {info.id}": info.recipe for info in METHODS.values()}
    groups = {name: [asdict(row) for row in settings_of(recipe)] for name, recipe in recipes.items()}
    lines = []
    for name, rows in groups.items():
        lines += [name, *(f"  {row['key']}={row['default']}  {row['label']}. {row['help']}" for row in rows)]
    return Output("\n".join(lines), {"settings": groups})


def actions(words: Namespace) -> Output:
    """List every action of the window with its menu and shortcut."""
    del words
    from sslstudio.ui.actions import ACTIONS

    rows = [{"id": a.id, "text": a.told, "menu": a.menu, "shortcut": a.shortcut} for a in ACTIONS]
    lines = [f"{row['id']:24} {row['menu']:8} {row['text']:32} {row['shortcut']}" for row in rows]
    return Output("\n".join(lines), {"actions": rows})


# showing -----------------------------------------------------------------------------------------------------


def demo(words: Namespace) -> Output:
    """Go the whole way on a made-up sample, from folder to exported model, with nobody touching it."""
    from sslstudio.demo import run_demo

    return run_demo(words.out, minutes=words.minutes_total, quick=words.quick)


def tour(words: Namespace) -> Output:
    """Drive the real window through the whole way and keep a picture of each step."""
    from sslstudio.ui.tour import main as drive

    code = drive(words.out)
    if code:
        raise Broken(f"The tour ended early (code {code}); see {words.out}.")
    return Output(str(words.out), {"out": str(words.out.absolute())})
