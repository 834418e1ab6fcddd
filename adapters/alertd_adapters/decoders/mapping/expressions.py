"""JMESPath expressions of profiles: read once, within bounds, and run on what strangers send.

Paths and comparisons, which are most of them, become plain Python functions (`quick`); whatever else an expression
holds, the library runs.

Bounds: an expression sees only what is below the value it stands at, so its cost grows with the payload, not with a
power of it. Only lists that an expression builds itself could multiply; a few are allowed.

Own functions: `items(object)` -> [{key, value}, …]; `match(text, 'pattern')` -> named groups or null;
`strongest(list, 'key')` -> the element whose number under the key is greatest; `number(text)` -> the number with which
a text like "1567mV" begins; `fine_time(time)` -> the time if it shows fractions of a second, else null.
"""

import re
from collections.abc import Iterator
from typing import Any

import jmespath
from jmespath import exceptions, functions, lexer, visitor

from alertd.ports import DecodeError
from alertd_adapters.decoders.json_payload import device_time
from alertd_adapters.decoders.mapping.patterns import PatternError, compiled
from alertd_adapters.decoders.mapping.quick import Evaluate, Node, quick

EXPRESSION_MAX = 400
"""Characters of an expression."""
NODES_MAX = 100
DEPTH_MAX = 20
LISTS_MAX = 4
"""Lists and objects that one expression may build."""

_OPENING = frozenset({"lparen", "lbracket", "lbrace", "filter"})
_CLOSING = frozenset({"rparen", "rbracket", "rbrace"})
_COMPARING = frozenset({"eq", "ne", "lt", "lte", "gt", "gte"})
_NOTHING = {"type": "", "value": ""}

_NUMBER = re.compile(r"\s{0,8}(-?[0-9]{1,12}(?:\.[0-9]{1,9})?)")


class ExpressionError(ValueError):
    """The expression cannot be used; the message says why."""


class _Functions(functions.Functions):  # type: ignore[misc,unused-ignore] # the stubs leave its metaclass out
    """The library's functions and ours. Ours answer null to whatever they were not made for."""

    @functions.signature({"types": []})
    def _func_items(self, found: object) -> list[dict[str, Any]] | None:
        return [{"key": key, "value": value} for key, value in found.items()] if isinstance(found, dict) else None

    @functions.signature({"types": []}, {"types": ["string"]})
    def _func_match(self, text: object, pattern: str) -> dict[str, str | None] | None:
        return compiled(pattern).groups(text) if isinstance(text, str) else None

    @functions.signature({"types": []}, {"types": ["string"]})
    def _func_strongest(self, found: object, key: str) -> object:
        best: object = None
        most = float("-inf")
        for element in found if isinstance(found, list) else ():
            value = element.get(key) if isinstance(element, dict) else None
            if isinstance(value, int | float) and not isinstance(value, bool) and value > most:
                best, most = element, value
        return best

    @functions.signature({"types": []})
    def _func_number(self, found: object) -> float | None:
        if isinstance(found, int | float) and not isinstance(found, bool):
            return float(found)
        begins = _NUMBER.match(found) if isinstance(found, str) else None
        return float(begins[1]) if begins else None

    @functions.signature({"types": []})
    def _func_fine_time(self, found: object) -> int | None:
        at_us, is_fine = device_time(found)
        return at_us if is_fine else None


_INTERPRETER = visitor.TreeInterpreter(jmespath.Options(custom_functions=_Functions()))
"""One for all: the library makes one for each search, in a circle that only Python's cycle collector can take away, and
while it does, no press goes on."""


def expression(text: str) -> Evaluate:
    """The expression as a function of the document. Raises `ExpressionError`."""
    return _built(_parsed(text), text)


def predicate(text: str) -> Evaluate:
    """An expression that must say yes or no. JMESPath takes the number 0 for true, and a missing key for false, so a
    bare path is refused: what it is compared with must be written. Raises `ExpressionError`."""
    parsed = _parsed(text)
    if not _is_explicit(parsed):
        raise ExpressionError("is no comparison; write what it must be, for example: object.alarm == `1`")
    return _built(parsed, text)


# --- reading --------------------------------------------------------------------------------------------------------


def _parsed(text: str) -> Node:
    if len(text) > EXPRESSION_MAX:
        raise ExpressionError(f"has {len(text)} characters, more than {EXPRESSION_MAX}")
    try:
        node: Node = dict(jmespath.compile(text).parsed)
    except (exceptions.JMESPathError, RecursionError, ValueError) as error:
        said = str(error).partition("\n")[0]
        raise ExpressionError(f"is not JMESPath: {said[:120]}") from None
    _check_quotes(text)
    _check_size(node)
    for each in _all(node):
        if each["type"] == "function_expression":
            _check_call(each)
    return node


def _check_quotes(text: str) -> None:
    """In double quotes JMESPath means a key, and a comparison with a key that is not there never holds. Where a value
    stands, nobody means a key of the document's own top, or of the element that a filter looks at."""
    tokens = list(lexer.Lexer().tokenize(text))
    inside: list[str] = []
    for before, token, after in zip([_NOTHING, *tokens], tokens, [*tokens[1:], _NOTHING], strict=False):
        kind, left, right = token["type"], before["type"], after["type"]
        if kind in _OPENING:
            inside.append(kind)
        elif kind in _CLOSING and inside:
            inside.pop()
        elif kind == "quoted_identifier":
            compared = left in _COMPARING or (right in _COMPARING and left != "dot" and "filter" not in inside)
            argument = left == "comma" and inside[-1:] == ["lparen"]
            if (compared or argument) and right != "dot":
                word = token["value"]
                quoted = f'"{word}" in double quotes is a key, not a text, and is never found'
                raise ExpressionError(f"{quoted}: write '{word}' or `\"{word}\"`")


def _check_size(node: Node) -> None:
    if _depth(node, 0) > DEPTH_MAX:
        raise ExpressionError(f"is nested deeper than {DEPTH_MAX}")
    kinds = [each["type"] for each in _all(node)]
    if len(kinds) > NODES_MAX:
        raise ExpressionError(f"has {len(kinds)} parts, more than {NODES_MAX}")
    lists = sum(kind.startswith("multi_select") for kind in kinds)
    if lists > LISTS_MAX:
        raise ExpressionError(f"builds {lists} lists, more than {LISTS_MAX}")


def _check_call(node: Node) -> None:
    name, arguments = node["value"], node["children"]
    if not hasattr(_Functions, f"_func_{name}"):
        raise ExpressionError(f"there is no function {name}()")
    wanted: tuple[Any, ...] = getattr(getattr(_Functions, f"_func_{name}"), "signature", ())
    endless = bool(wanted) and bool(wanted[-1].get("variadic"))
    if len(arguments) < len(wanted) or (len(arguments) > len(wanted) and not endless):
        raise ExpressionError(f"{name}() takes {len(wanted)} values, not {len(arguments)}")
    if name == "match":
        pattern = arguments[1]
        if pattern["type"] != "literal" or not isinstance(pattern["value"], str):
            raise ExpressionError("match() takes its pattern as a text in quotation marks: match(object.x, 'a+')")
        try:
            compiled(pattern["value"])
        except PatternError as error:
            raise ExpressionError(f"the pattern of match() {error}") from None


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from _all(child)


def _depth(node: Node, above: int) -> int:
    if above > DEPTH_MAX:
        return above
    below = (_depth(child, above + 1) for child in node.get("children", ()) if isinstance(child, dict))
    return max(below, default=above)


_SAYS_YES_OR_NO = frozenset({"contains", "starts_with", "ends_with"})


def _is_explicit(node: Node) -> bool:
    match node["type"]:
        case "comparator":
            return True
        case "and_expression" | "or_expression" | "not_expression":
            return all(_is_explicit(child) for child in node["children"])
        case "function_expression":
            return node["value"] in _SAYS_YES_OR_NO
        case _:
            return False


def _built(node: Node, text: str) -> Evaluate:
    return quick(node) or _interpreted(text)


def _interpreted(text: str) -> Evaluate:
    parsed = jmespath.compile(text).parsed

    def evaluate(document: Any) -> Any:
        try:
            return _INTERPRETER.visit(parsed, document)
        except (exceptions.JMESPathError, TypeError):  # given what it does not take, or 1 < "a": there is no value
            return None
        except (ArithmeticError, AttributeError, LookupError, RecursionError, ValueError) as error:
            raise DecodeError(f"the expression {text[:60]} fails on this payload: {type(error).__name__}") from None

    return evaluate
