"""Commands that answer “is it working?”: figures of the features, images alike, the map, and whether it helped."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.commands import Output, project_path, read_project, work
from sslstudio.errors import UserError

if TYPE_CHECKING:
    from sslstudio.project.feature_sets import FeatureSet


def evaluate_features(words: Namespace) -> Output:
    """Measure what a network knows about the images: rank, k-NN, linear probe, few labels, a map."""
    done = _evaluate(words)
    result = done.values.get("result") or {}
    rows = result.get("rows", [])
    lines = [f"{row['title']:24} {row['value']}\n    {row['sentence']}" for row in rows]
    return Output("\n".join(lines) or "Stopped before anything was measured.", {**done.values, **result})


def similar(words: Namespace) -> Output:
    """List the images most like this one, as a network sees them."""
    found = _features(words)
    alike = found.similar(_named(words.project, str(words.image)), words.count)
    rows = [{"image": image, "similarity": round(value, 4)} for image, value in alike]
    lines = [f"{row['similarity']:.3f}  {row['image']}" for row in rows]
    return Output("\n".join(lines), {"image": str(words.image), "key": found.key, "similar": rows})


def folder_map(words: Namespace) -> Output:
    """Lay all images out so that those that a network finds alike lie close together."""
    from sslstudio.project.feature_sets import folder_labels

    found = _features(words)
    known = folder_labels(found.images)
    folders = [known[0][at] if known and at >= 0 else "" for at in (known[1] if known else [-1] * len(found.images))]
    rows = [
        {"image": image, "x": round(float(x), 5), "y": round(float(y), 5), "group": int(group), "folder": folder}
        for image, (x, y), group, folder in zip(found.images, found.points, found.clusters, folders, strict=True)
    ]
    lines = [f"{row['x']:.4f} {row['y']:.4f}  group {row['group']}  {row['image']}" for row in rows]
    return Output("\n".join(lines), {"key": found.key, "map": rows})


def did_it_help(words: Namespace) -> Output:
    """Find out on your own masks whether pretraining helped, with an honest interval."""
    from sslstudio.runs.folder import RunFolder
    from sslstudio.runs.prepare_evaluation import HELP_MINUTES, help_request

    with read_project(words.project) as project:
        request = help_request(project, words.encoder_run, words.minutes or HELP_MINUTES)
    done = work(RunFolder.create(project_path(words.project), request, "check"))
    result: dict[str, Any] = done.values.get("result") or {}
    lines = [str(result.get("answer", "Stopped before anything was compared."))]
    lines += [f"  {arm['name']}: overlap {100 * arm['miou']:.1f} %" for arm in result.get("arms", [])]
    lines += [f"  {row['sentence']}" for row in result.get("comparisons", []) if row["sentence"] != lines[0]]
    if "rounds" in result:
        lines.append(f"  {result['masks']} masks, {result['rounds']} rounds, {result['steps']} steps for each model")
    return Output("\n".join(lines), {**done.values, **result})


def _evaluate(words: Namespace) -> Output:
    from sslstudio.runs.folder import RunFolder
    from sslstudio.runs.prepare_evaluation import evaluate_request

    start = "timm" if getattr(words, "published", False) else "scratch"
    with read_project(words.project) as project:
        request = evaluate_request(project, words.encoder_run, words.backbone, start)  # type: ignore[arg-type]
    return work(RunFolder.create(project_path(words.project), request, "look"))


def _features(words: Namespace) -> FeatureSet:
    """What a network has found in the folder; it looks first where it has not, or where images have come since."""
    from sslstudio.project.feature_sets import read_features
    from sslstudio.runs.prepare_evaluation import evaluate_request, fitting_images
    from sslstudio.runs.request import features_key

    start = "timm" if words.published else "scratch"
    with read_project(words.project) as project:
        request = evaluate_request(project, words.encoder_run, words.backbone, start)  # type: ignore[arg-type]
        folder, wanted = project.path, fitting_images(project, request)
    key = features_key(request)
    found = read_features(folder, key)
    if found is None or wanted - set(found.images):
        sys.stderr.write("The network looks at the folder first.\n")
        _evaluate(words)
        found = read_features(folder, key)
    if found is None:
        raise UserError("The network has not looked at the whole folder.", "Let it finish, then ask again.")
    return found


def _named(given: Path, image: str) -> str:
    """The project's name of an image, given as such or as a file."""
    with read_project(given) as project:
        names = {record.path for record in project.images()}
        root = Path(project.images_root).resolve()
    if image in names:
        return image
    file = Path(image).resolve()
    inside = file.relative_to(root).as_posix() if file.is_relative_to(root) else ""
    if inside in names:
        return inside
    raise UserError(f"The project has no image “{image}”.", "Name it as it stands below the image folder.")
