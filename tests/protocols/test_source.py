"""YAML read strictly: what it becomes, what it refuses, and how fast."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import source
from protocols.errors import Place, ProtocolError
from protocols.nodes import ListNode, MappingNode, Scalar


def test_every_scalar_stays_text_in_its_place() -> None:
    root = source.parse("a: no\nb:\n  - 4:20\n  - 010\n  - .inf\n", "file")
    assert isinstance(root, MappingNode)
    assert root.take("a") == Scalar("no", Place("file", 1, 4))
    items = root.take("b")
    assert isinstance(items, ListNode)
    assert [
        (item.text, item.place.line, item.place.column) for item in items.items if isinstance(item, Scalar)
    ] == [
        ("4:20", 3, 5),
        ("010", 4, 5),
        (".inf", 5, 5),
    ]


def test_the_place_of_quoted_text_is_that_of_its_first_letter() -> None:
    root = source.parse('- "abc def"\n', "file")
    assert isinstance(root, ListNode)
    quoted = root.items[0]
    assert isinstance(quoted, Scalar)
    assert quoted.part(4).place == Place("file", 1, 8)  # `- "abc def"`: the d is the eighth character


def test_columns_inside_folded_text_are_not_invented() -> None:
    root = source.parse("a: >\n  one\n  two\n", "file")
    assert isinstance(root, MappingNode)
    folded = root.take("a")
    assert isinstance(folded, Scalar)
    assert folded.text == "one two\n"
    assert folded.part(4).place == folded.place


REFUSED: dict[str, tuple[str | bytes, int, str, str]] = {
    "empty": ("", 1, "empty", "mapping"),
    "comment only": ("# nothing\n", 2, "empty", "mapping"),
    "anchor": ("a: &x 1\n", 1, "&x", "no anchors"),
    "alias": ("a: *x\n", 1, "*x", "the value itself"),
    "tag": ("b: 1\na: !!int 1\n", 2, "tag", "no tags"),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", 3, "'a' a second time", "first in line 1"),
    "duplicate key in flow": ("{a: 1, a: 2}\n", 1, "second time", "each key once"),
    "list as key": ("{[a]: b}\n", 1, "as a key", "a word"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "second document", "one document"),
    "unclosed": ("a: [1, 2\n", 2, "did not find", "well-formed"),
    "tab": ("a:\n\t- b\n", 2, "cannot start any token", "well-formed"),
    "control character": ("a: 1\nb: \x07\n", 2, "U+0007", "printable"),
    "null": ("a: \0", 1, "U+0000", "printable"),
    "turned writing": ("a: x\u202ey", 1, "U+202E", "printable"),
    "line separator": ("a: x\u2028y", 1, "U+2028", "printable"),
    "surrogate": ("a: \ud800", 1, "not UTF-8", "UTF-8"),
    "latin-1": (b"a: 1\nb: \xb5m\n", 2, "not UTF-8", "UTF-8"),
    "long text": ("a: " + "x" * 5000, 1, "5000 characters", "4096"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named_with_its_line(name: str) -> None:
    content, line, seen, wanted = REFUSED[name]
    with pytest.raises(ProtocolError) as caught:
        source.parse(content, "file")
    (problem,) = caught.value.problems
    assert problem.place.line == line
    assert seen in problem.seen
    assert wanted in problem.wanted


HOSTILE: dict[str, str | bytes] = {
    "flat list": "[" + ",".join(["1"] * 32000) + "]",
    "flat lines": "- 1\n" * 16000,
    "nested lists": "[" * 20000,
    "nested dashes": "- " * 20000,
    "nested mappings": "{a: " * 10000,
    "nested question marks": "? " * 30000,
    "billion laughs": "a: &a [x,x]\n" + "".join(f"k{i}: [*a,*a,*a]\n" for i in range(1000)),
    "binary": bytes(range(256)) * 250,
    "many keys": "\n".join(f"k{i}: 1" for i in range(6000)),
    "one word": "a" * 65000,
    "escapes": '"' + "\\u0041" * 10000 + '"',
    "quotes": '"' * 65000,
    "ampersands": "&a " * 20000,
    "exclamation marks": "!" * 65000,
    "too long": "x" * 70000,
    "far too long": b"[" * 10_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_at_once(name: str) -> None:
    best = float("inf")
    for _ in range(3):  # the best of three: others share the processor
        begin = time.process_time()
        with pytest.raises(ProtocolError) as caught:
            source.parse(HOSTILE[name], "file")
        best = min(best, time.process_time() - begin)
    assert caught.value.problems[0].place.line >= 1
    assert best < 0.5  # 11 ms at most; what grows faster than the file would take far longer


def test_a_file_that_is_not_there_is_a_problem_of_that_file(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"absent\.yaml.*No such file"):
        source.load(tmp_path / "absent.yaml")


def test_a_file_is_called_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("a: *b\n")
    with pytest.raises(ProtocolError, match=r"^some\.yaml:1:4: the alias"):
        source.load(path)


_YAML_LIKE = st.text(alphabet="ab:-[]{}&*!|>'\"#%@`?, \n\t~<\\\x00é\ud800", max_size=200)


@settings(max_examples=300, deadline=None)
@given(st.one_of(_YAML_LIKE, st.text(max_size=200), st.binary(max_size=200)))
def test_no_input_raises_anything_but_a_protocol_error(content: str | bytes) -> None:
    try:
        source.parse(content, "file")
    except ProtocolError as error:
        places = [problem.place for problem in error.problems]
    else:
        places = []
    assert all(place.line >= 1 and place.column >= 1 for place in places)
