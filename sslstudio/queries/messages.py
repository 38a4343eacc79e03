"""What can be asked of the inference process, what it answers, and how both look on the wire.

A message is one line of JSON; an answer's arrays follow it as raw bytes in the order in which the line names them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from io import BufferedReader
from typing import Any, BinaryIO, Literal

import numpy as np

QueryKind = Literal["segment", "attention", "similar"]


@dataclass(frozen=True)
class SegmentQuery:
    """What is in this image: ``image`` and the ``model`` folder are absolute paths."""

    image: str
    model: str


@dataclass(frozen=True)
class AttentionQuery:
    """Where does the encoder look: all over, or from the patch at ``query`` (x, y in image pixels).

    ``encoder`` is the absolute path of a checkpoint or model folder, or a timm name; ``block`` counts as in a list.
    ``colours`` asks for the features of the patches as colours instead, which every network can give.
    """

    image: str
    encoder: str
    block: int = -1
    query: tuple[float, float] | None = None
    colours: bool = False


@dataclass(frozen=True)
class Example:
    """Something that was pointed at: a box in image pixels, of no size for a click; more of it is wanted, or none."""

    left: float
    top: float
    right: float
    bottom: float
    wanted: bool = True


@dataclass(frozen=True)
class SimilarQuery:
    """How alike every place of ``image`` is to ``examples``, which lie in the image ``source`` (empty: the same).

    ``encoder`` as for ``AttentionQuery``. ``cache`` is a folder in which features are kept for later; empty for none.
    Of a huge image, ``part`` (left, top, right, bottom) alone is looked at, and examples are counted from its corner.
    """

    image: str
    encoder: str
    examples: tuple[Example, ...]
    source: str = ""
    cache: str = ""
    part: tuple[int, int, int, int] | None = None


Query = SegmentQuery | AttentionQuery | SimilarQuery


@dataclass(frozen=True)
class Answer:
    """An answer to question ``number``; ``about`` is the kind of question, also where ``kind`` is "problem".

    segment: ``labels`` and ``confidence``, both (H, W) uint8. attention: ``maps`` (heads + 1, h, w) float32, 0 to 1,
    the mean first, and ``mass``, as many: the share of the attention on places at least as bright. With colours:
    ``colours`` (h, w, 3) uint8 alone, where alike places look alike. similar: ``likeness`` (h, w) float32, -1 to 1.
    ``crashed``: the problem is that the process has ended; nobody on its side can say so.
    """

    number: int
    kind: Literal["segment", "attention", "similar", "problem"]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    problem: str = ""
    advice: str = ""
    about: str = ""
    crashed: bool = False


def kind_of(query: Query) -> QueryKind:
    """The kind of a question; of each kind only the newest is answered."""
    if isinstance(query, SimilarQuery):
        return "similar"
    return "segment" if isinstance(query, SegmentQuery) else "attention"


def encode_query(number: int, query: Query) -> bytes:
    """One line for one question."""
    return json.dumps({"number": number, "kind": kind_of(query), **asdict(query)}).encode() + b"\n"


def decode_query(line: bytes) -> tuple[int, Query]:
    """The number and the question of one line; raises ValueError for anything else."""
    try:
        values = json.loads(line)
        number, kind = int(values.pop("number")), values.pop("kind")
        if kind == "segment":
            return number, SegmentQuery(**values)
        if kind == "similar":
            values["examples"] = tuple(Example(**example) for example in values["examples"])
            values["part"] = None if values.get("part") is None else tuple(map(int, values["part"]))
            return number, SimilarQuery(**values)
        if values.get("query") is not None:
            x, y = values["query"]
            values["query"] = (float(x), float(y))
        return number, AttentionQuery(**values)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a question: {line[:80]!r}") from error


def write_answer(stream: BinaryIO, answer: Answer) -> None:
    """Write the line and the bytes of an answer."""
    arrays = {name: np.ascontiguousarray(array) for name, array in answer.arrays.items()}
    head = {
        "number": answer.number,
        "kind": answer.kind,
        "problem": answer.problem,
        "advice": answer.advice,
        "about": answer.about,
        "arrays": [[name, array.dtype.str, array.shape] for name, array in arrays.items()],
    }
    stream.write(json.dumps(head).encode() + b"\n")
    for array in arrays.values():
        stream.write(array.reshape(-1).view(np.uint8).data)
    stream.flush()


def read_answer(stream: BufferedReader[Any]) -> Answer | None:
    """The next whole answer, or None when the other side has closed."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    head = json.loads(line)
    arrays = {}
    for name, dtype, shape in head.pop("arrays"):
        array = np.empty(shape, np.dtype(dtype))
        if array.nbytes and stream.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:
            return None
        arrays[name] = array
    return Answer(arrays=arrays, **head)
