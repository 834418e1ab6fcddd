"""Lines of keys: of everything that `tomllib` understands."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.config.toml_lines import key_lines

CASES = {
    "plain": ("a = 1\nb = 2", {("a",): 1, ("b",): 2}),
    "dotted": ("\na.b = 1", {("a",): 2, ("a", "b"): 2}),
    "table": ("[t]\nx = 1", {("t",): 1, ("t", "x"): 2}),
    "array of tables": (
        "[[s]]\nx = 1\n[[s]]\n\nx = 2",
        {("s",): 1, ("s", 0): 1, ("s", 0, "x"): 2, ("s", 1): 3, ("s", 1, "x"): 5},
    ),
    "table below an array": ("[[s]]\n[s.u]\nx = 1", {("s",): 1, ("s", 0): 1, ("s", 0, "u"): 2, ("s", 0, "u", "x"): 3}),
    "inline": (
        "t = [\n { a = 1 },\n # no\n { b = [2,\n 3] } ]",
        {
            ("t",): 1,
            ("t", 0): 2,
            ("t", 0, "a"): 2,
            ("t", 1): 4,
            ("t", 1, "b"): 4,
            ("t", 1, "b", 0): 4,
            ("t", 1, "b", 1): 5,
        },
    ),
    "strings hide brackets": (
        'a = "] } # \\" = "\nb = \'[\'\nc = """\n[x]\n"q" \\""" """\nd = 1',
        {("a",): 1, ("b",): 2, ("c",): 3, ("d",): 6},
    ),
    "quoted keys": ('"a.b" = 1\n"q\\"x" = 2\n[ "t u" . v ]', {("a.b",): 1, ('q"x',): 2, ("t u", "v"): 3}),
    "windows": ("a = 1\r\nb = 2\r\n", {("a",): 1, ("b",): 2}),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_lines(case):
    text, expected = CASES[case]
    tomllib.loads(text)

    assert key_lines(text) == expected


PIECES = st.sampled_from(
    [
        "a = 1",
        "b.c = 'x'",
        '"k e" = "[x]"',
        "[t]",
        "[t.u]",
        "[[s]]",
        "[s.v]",
        "[[s.w]]",
        "# c = 1",
        "",
        "d = [1, [2], { e = 3 }]",
        "f = { g = 1, h = { i = [ ] } }",
        'j = """\n\n[no]\n"""',
        "k = '''\n'''",
        "l = [\n1,\n2,\n]",
        "m = 1979-05-27T07:32:00Z",
        "n.o.p = -0.5e1",
    ]
)


@given(st.lists(PIECES, max_size=12))
def test_every_value_of_a_valid_text_has_a_line(pieces):
    text = "\n".join(pieces)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    lines = key_lines(text)
    last = text.count("\n") + 1
    assert {path for path in _leaves(values) if not 1 <= lines.get(path, 0) <= last} == set()


def _leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(below, (*path, key))
    elif isinstance(value, list) and value:
        for index, below in enumerate(value):
            yield from _leaves(below, (*path, index))
    elif path:
        yield path
