"""Simple expressions as plain Python functions: several times as fast as the library's interpreter.

Paths, indexes, comparisons, `&&`, `||`, `!` and literals. Must mean exactly what the library means:
tests/adapters/decoders/mapping/test_expressions.py holds both side by side.
"""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

Evaluate = Callable[[Any], Any]
Node = dict[str, Any]
"""One node of the library's syntax tree: type, children, value."""


def is_true(found: object) -> bool:
    """As JMESPath sees it: empty text, list and object, null and false are not."""
    return not (found is None or found is False or found in ("", [], {}))


def quick(node: Node) -> Evaluate | None:  # noqa: PLR0911 - one kind of node a line
    match node["type"]:
        case "field":
            return _field(node["value"])
        case "literal":
            return _constant(node["value"])
        case "current" | "identity":
            return lambda document: document
        case "index":
            return _index(node["value"])
        case "subexpression" | "index_expression" | "pipe":
            return _chain(node["children"])
        case "comparator":
            return _comparison(node)
        case "and_expression" | "or_expression":
            return _either(node)
        case "not_expression":
            return _negation(node)
        case _:
            return None


def _all_quick(nodes: list[Node]) -> list[Evaluate] | None:
    found = [quick(node) for node in nodes]
    whole = [each for each in found if each is not None]
    return whole if len(whole) == len(found) else None


def _field(name: str) -> Evaluate:
    return lambda document: document.get(name) if isinstance(document, dict) else None


def _constant(value: object) -> Evaluate:
    return lambda _: value


def _index(place: int) -> Evaluate:
    def evaluate(document: Any) -> Any:
        if not isinstance(document, list) or not -len(document) <= place < len(document):
            return None
        return document[place]

    return evaluate


def _chain(nodes: list[Node]) -> Evaluate | None:
    if all(node["type"] == "field" for node in nodes):
        return _path(tuple(node["value"] for node in nodes))
    steps = _all_quick(nodes)
    if steps is None:
        return None

    def evaluate(document: Any) -> Any:
        for step in steps:
            document = step(document)
        return document

    return evaluate


def _path(names: tuple[str, ...]) -> Evaluate:
    def evaluate(document: Any) -> Any:
        for name in names:
            if not isinstance(document, dict):
                return None
            document = document.get(name)
        return document

    return evaluate


_ORDERINGS = {"lt": lt, "gt": gt, "lte": le, "gte": ge}


def _comparison(node: Node) -> Evaluate | None:
    sides = _all_quick(node["children"])
    if sides is None:
        return None
    left, right = sides
    kind = node["value"]
    if kind == "eq":
        return lambda document: _same(left(document), right(document))
    if kind == "ne":
        return lambda document: not _same(left(document), right(document))
    orders = _ORDERINGS[kind]

    def evaluate(document: Any) -> bool | None:
        a, b = left(document), right(document)
        alike = (_is_number(a) and _is_number(b)) or (isinstance(a, str) and isinstance(b, str))
        return bool(orders(a, b)) if alike else None

    return evaluate


def _same(a: object, b: object) -> bool:
    """As JMESPath compares: 1 is not true, and 0 is not false."""
    if (a is True or a is False) != (b is True or b is False) and a in (0, 1) and b in (0, 1):
        return False
    return a == b


def _is_number(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _either(node: Node) -> Evaluate | None:
    sides = _all_quick(node["children"])
    if sides is None:
        return None
    left, right = sides
    if node["type"] == "or_expression":
        return lambda document: found if is_true(found := left(document)) else right(document)
    return lambda document: right(document) if is_true(found := left(document)) else found


def _negation(node: Node) -> Evaluate | None:
    inner = quick(node["children"][0])
    if inner is None:
        return None

    def evaluate(document: Any) -> bool:
        found = inner(document)
        return False if _is_number(found) and found == 0 else not found

    return evaluate
