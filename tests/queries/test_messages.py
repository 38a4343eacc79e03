"""Questions and answers survive the wire unchanged."""

import io

import numpy as np
import pytest

from sslstudio.queries.messages import (
    Answer,
    AttentionQuery,
    Example,
    SegmentQuery,
    SimilarQuery,
    decode_query,
    encode_query,
    read_answer,
    write_answer,
)


@pytest.mark.parametrize(
    "query",
    [
        SegmentQuery("/a b/ü\n.png", "/m"),
        AttentionQuery("/a.png", "vit_tiny_patch16_224"),
        AttentionQuery("/a.png", "/e", 3, (1.5, 2.0)),
        SimilarQuery("/a.png", "/e", (Example(1.5, 2, 1.5, 2), Example(0, 0, 4, 5, False)), "/b.png", "/c"),
    ],
)
def test_a_question_is_one_line(query):
    line = encode_query(7, query)
    assert line.count(b"\n") == 1
    assert decode_query(line) == (7, query)


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"number": 1}', b'{"number": 1, "kind": "segment", "x": 1}'])
def test_anything_else_is_refused(line):
    with pytest.raises(ValueError):  # noqa: PT011
        decode_query(line)


def test_arrays_arrive_as_they_were():
    arrays = {
        "maps": np.random.default_rng(0).random((4, 3, 5), dtype=np.float32),
        "labels": np.arange(12, dtype=np.uint8).reshape(3, 4).T,  # not contiguous
        "none": np.zeros((0, 3), np.uint8),
    }
    stream = io.BytesIO()
    write_answer(stream, Answer(3, "segment", arrays, about="segment"))
    write_answer(stream, Answer(4, "problem", problem="No.", advice="Yes."))
    stream.seek(0)
    reader = io.BufferedReader(stream)
    first, second = read_answer(reader), read_answer(reader)
    assert (first.number, first.kind, first.about) == (3, "segment", "segment")
    assert all(np.array_equal(first.arrays[name], array) for name, array in arrays.items())
    assert first.arrays["maps"].dtype == np.float32
    assert (second.problem, second.advice, second.arrays) == ("No.", "Yes.", {})
    assert read_answer(reader) is None


def test_a_cut_off_answer_is_no_answer():
    stream = io.BytesIO()
    write_answer(stream, Answer(3, "segment", {"labels": np.zeros((9, 9), np.uint8)}))
    assert read_answer(io.BufferedReader(io.BytesIO(stream.getvalue()[:-1]))) is None
