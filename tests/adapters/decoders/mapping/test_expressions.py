"""Expressions: the quick ones mean what the library means, and none can be too much."""

import json
import re
import time
from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd_adapters.decoders.mapping.expressions import ExpressionError, expression, predicate
from alertd_adapters.decoders.mapping.patterns import Pattern, PatternError
from alertd_adapters.decoders.mapping.quick import quick

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.one_of(
    st.none(), st.booleans(), st.sampled_from([0, 1, 2, 0.0, 1.0, -1.5]), st.sampled_from(["", "a", "0", "1", "x y"])
)
DOCUMENTS = st.recursive(
    VALUES, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3), max_leaves=8
)
LITERALS = VALUES.map(lambda value: f"`{json.dumps(value)}`")
PATHS = st.lists(
    st.one_of(NAMES, NAMES.map(lambda n: f"{n}[0]"), NAMES.map(lambda n: f"{n}[-2]")), min_size=1, max_size=3
)
OPERANDS = st.one_of(PATHS.map(".".join), LITERALS, st.just("@"))
COMPARISONS = st.tuples(OPERANDS, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), OPERANDS).map(" ".join)
EXPRESSIONS = st.recursive(
    st.one_of(OPERANDS, COMPARISONS),
    lambda below: st.one_of(
        st.tuples(below, st.sampled_from(["&&", "||", "|"]), below).map(lambda each: f"({' '.join(each)})"),
        below.map(lambda each: f"!({each})"),
    ),
    max_leaves=5,
)


def _by_the_library(text: str, document: Any) -> Any:
    try:
        return jmespath.search(text, document)
    except TypeError:  # it compares a number with a text: for us there is no value, as for every other pair
        return "TypeError"


@given(EXPRESSIONS, DOCUMENTS)
def test_a_quick_expression_means_what_the_library_means(text, document):
    _side_by_side(text, document)


@pytest.mark.slow
@settings(max_examples=3_000)
@given(EXPRESSIONS, DOCUMENTS)
def test_so_do_very_many(text, document):
    _side_by_side(text, document)


def _side_by_side(text: str, document: Any) -> None:
    built = quick(dict(jmespath.compile(text).parsed))
    assert built is not None, text
    wanted = _by_the_library(text, document)
    if wanted != "TypeError":
        got = built(document)
        assert got == wanted
        assert type(got) is type(wanted)


def test_a_number_is_not_a_truth():
    """JSON knows the difference, Python does not."""
    for text, document in (("a == `1`", {"a": True}), ("a == `0`", {"a": False}), ("a == `true`", {"a": 1})):
        assert expression(text)(document) is False, "an expression must mean what the library means"


def test_a_predicate_must_compare():
    with pytest.raises(ExpressionError, match="is no comparison"):
        predicate("object.alarm")
    with pytest.raises(ExpressionError, match="is no comparison"):
        predicate("object.alarm == `1` && object.armed")
    assert predicate("object.alarm == `1`")({"object": {"alarm": 1}}) is True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a..b", "is not JMESPath"),
        ("a" * 401, "more than 400"),
        ("[a].[b].[c].[d].[e]", "builds 5 lists"),
        ("!" * 30 + "a", "nested deeper"),
        ("nothing(a)", "there is no function nothing"),
        ("match(a)", "takes 2 values, not 1"),
        ("match(a, b)", "in quotation marks"),
        ("match(a, '(')", "the pattern of match"),
    ],
)
def test_an_expression_that_cannot_be_used_says_why(text, said):
    with pytest.raises(ExpressionError, match=said):
        expression(text)


@pytest.mark.parametrize(
    "text",
    ['object.a == "b"', '"b" == object.a', 'contains(object.a, "b")', 'object.x == `1` && object.a != "b"',
     'object.list[?a == "b"]', 'match(object.a, "b")'],
)  # fmt: skip
def test_a_text_in_double_quotes_is_a_key_and_never_found(text):
    """`object.state == "pressed"` looks right, passes every example that is no press, and never pages."""
    with pytest.raises(ExpressionError, match=re.escape("write 'b' or `\"b\"`")):
        expression(text)


@pytest.mark.parametrize(
    "text",
    ["object.\"a-b\" == 'b'", 'object."a-b"', "object.list[?\"a-b\" == 'c']", '{"a": object.b}', '["a", object.b]',
     "'b' == object.\"a-b\"", 'object.a == `"b"`', "\"a\".b == 'c'", 'object.x == @."a-b"'],
)  # fmt: skip
def test_a_key_in_double_quotes_is_a_key(text):
    assert expression(text) is not None


def test_own_functions():
    assert expression("items(@)[?key == 'a'].value | [0]")({"a": 7, "b": 8}) == 7
    assert expression("match(@, 'Button(?P<n>[0-9]+)').n")("Button12") == "12"
    assert expression("match(@, 'Button(?P<n>[0-9]+)').n")("Switch12") is None
    assert expression("strongest(@, 'rssi').id")([{"id": 1, "rssi": -90}, {"id": 2, "rssi": -60}, {"id": 3}]) == 2
    assert expression("number(@)")("1567mV") == 1567.0
    assert expression("fine_time(@)")("2026-09-01T14:42:07Z") is None
    assert [expression(f"{name}(@)")(None) for name in ("items", "number", "fine_time")] == [None] * 3


def test_a_function_that_does_not_take_the_value_gives_none():
    assert expression("length(@)")(7) is None
    assert expression("[?a < `3`].a")([{"a": "text"}, {"a": 2}]) is None


def test_no_pattern_hangs():
    """The classic of catastrophic backtracking: 30 letters take re many seconds, 2,000 take RE2 no time."""
    begun = time.process_time()
    assert Pattern(r"(?P<all>(a+)+)b").groups("a" * 2_000) is None
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("text", ["(", r"(a)\1", "a(?=b)", "((a{100}){100}){100}", "a" * 201])
def test_a_pattern_that_cannot_be_used_says_why(text):
    with pytest.raises(PatternError):
        Pattern(text)


@pytest.mark.slow
def test_the_costliest_expression_that_is_allowed_ends():
    """Four lists of a whole payload, flattened one after the other: 16 times 20,000 elements."""
    text = "[@,@][] | [@,@][] | [@,@][] | [@,@][] | length(@)"
    begun = time.process_time()
    assert expression(text)(list(range(20_000))) == 320_000
    assert time.process_time() - begun < 1
