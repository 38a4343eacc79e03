"""Figures of features in plain words: one row each, the same in the window and in the terminal. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sslstudio.language import decimal, tr, tr_many
from sslstudio.learning.evaluation.scores import Knowledge, Score

Level = Literal["good", "fair", "poor", "none"]


@dataclass(frozen=True)
class Row:
    """One figure: a short ``title``, the ``value`` as shown, a sentence that says what it means, how good it is."""

    id: str
    title: str
    value: str
    sentence: str
    level: Level = "none"

    def values(self) -> dict[str, str]:
        """As plain values for JSON."""
        return asdict(self)


def health_rows(figures: Mapping[str, float], images: int) -> list[Row]:
    """Rows for what needs no labels: directions used, deviation, and of its run the teacher's entropy and the loss."""
    rows = [_directions(figures["effective_rank"], round(figures["feature_width"]), images)]
    spread = figures["feature_deviation"]
    level: Level = "poor" if spread < 0.02 else "fair" if spread < 0.2 else "good"
    meaning = {
        "poor": tr("Nearly the same answer for every image: the network has collapsed."),
        "fair": tr("All answers are rather alike. With very similar images that is no fault."),
        "good": tr("Different images get different answers."),
        "none": "",
    }[level]
    rows.append(
        Row(
            "feature_deviation",
            tr("Variety of the answers"),
            decimal(spread, 2),
            tr("{meaning} 0 to 1.").format(meaning=meaning),
            level,
        )
    )
    if "teacher_entropy" in figures:
        rows.append(_teacher(figures["teacher_entropy"]))
    if "loss" in figures:
        sentence = tr("The last loss of its training; compare it only within one method.")
        rows.append(Row("loss", tr("Loss"), f"{figures['loss']:.3f}", sentence))
    return rows


def _directions(rank: float, width: int, images: int) -> Row:
    most = min(width, images)
    level: Level = "poor" if rank < 2 and most > 4 else "fair" if rank < min(8, 0.5 * most) else "good"
    meaning = {
        "poor": tr("It tells hardly anything apart."),
        "fair": tr("It tells only a few things apart; give it more time or more images."),
        "good": tr("It tells many different things apart."),
        "none": "",
    }[level]
    value = tr("{rank:.0f} of {most}").format(rank=rank, most=most)
    return Row(
        "effective_rank",
        tr("Directions used"),
        value,
        tr("{meaning} Effective rank; more is better.").format(meaning=meaning),
        level,
    )


def _teacher(entropy: float) -> Row:
    level: Level = "poor" if entropy < 0.01 or entropy > 0.995 else "good"
    meaning = {
        "poor": tr("The teacher has collapsed: it says the same of all images, or nothing of any."),
        "good": tr("The teacher sorts images without being sure of each."),
    }[level]
    return Row("teacher_entropy", tr("Teacher undecided"), _percent(entropy), meaning, level)


def knowledge_rows(kind: Literal["folder", "painted"], found: Knowledge) -> list[Row]:
    """Rows for what is measured with labels: neighbours, linear probe, few labels."""
    chance = tr("Blind guessing gives {chance}.").format(chance=_percent(found.chance))
    alike = {
        "folder": tr("The folder of each image, guessed from the images most like it"),
        "painted": tr("The class of each painted pixel, guessed from the pixels most like it in other images"),
    }[kind]
    rule = {
        "folder": tr("A simple rule, learned from some images, names the folder of the others"),
        "painted": tr("A simple rule, learned from some painted images, names the class of pixels in the others"),
    }[kind]
    near = tr("{alike}: {value} right. {chance}").format(alike=alike, value=_percent(found.knn.value), chance=chance)
    open_ = tr("{rule}: {value} right. {chance}").format(rule=rule, value=_percent(found.probe.value), chance=chance)
    rows = [
        _row(f"{kind}_knn", tr("Neighbours agree"), found.knn, near, found.chance),
        _row(f"{kind}_probe", tr("Linear probe"), found.probe, open_, found.chance),
    ]
    if found.few_shot:
        first, last = found.few_shot[0], found.few_shot[-1]
        value = " · ".join(f"{row.shots}: {_percent(row.value.value)}" for row in found.few_shot)
        sentence = tr_many(
            "With {shots} example per class, {value} is right",
            "With {shots} examples per class, {value} is right",
            first.shots,
        ).format(shots=first.shots, value=_percent(first.value.value))
        sentence += (
            tr("; with {shots}, {value}.").format(shots=last.shots, value=_percent(last.value.value))
            if last is not first
            else "."
        )
        rows.append(Row(f"{kind}_few_shot", tr("With few labels"), value, sentence))
    return rows


def _row(id_: str, title: str, score: Score, sentence: str, chance: float) -> Row:
    level: Level = "good" if score.low > chance else "fair"
    if level == "fair":
        sentence += tr(" That may be luck.")
    value = tr("{value} ({low:.0f} to {high:.0f})").format(
        value=_percent(score.value), low=100 * score.low, high=100 * score.high
    )
    return Row(id_, title, value, sentence, level)


def _percent(value: float) -> str:
    return f"{100 * value:.0f}\u202f%"


def missing_row(kind: Literal["folder", "painted"], sentence: str) -> Row:
    """What cannot be measured, and what would make it possible."""
    return Row(kind, {"folder": tr("Folder names"), "painted": tr("Painted pixels")}[kind], "–", sentence)


def as_json(rows: list[Row]) -> list[dict[str, Any]]:
    """Rows as plain values."""
    return [row.values() for row in rows]
