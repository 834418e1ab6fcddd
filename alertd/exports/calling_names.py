"""What people are called in texts, out of a list that has their last and first names.

Two Smiths of one school are "J. Smith" and "M. Smith": else a text that Smith is going says nothing. Must never rename
whom the list does not name, nor somebody whom nothing can be mistaken for.
"""

from collections.abc import Iterable, Iterator, Mapping

from alertd.config.people import NAME_CHARACTERS_MAX
from alertd.exports.columns import FIRST_NAME
from alertd.exports.naming import alike
from alertd.exports.reading import ExportRow
from alertd.model.ids import PersonId
from alertd.model.people import Person

LIST_SEPARATOR = ";"


def called_apart(rows: Iterable[ExportRow], known: Mapping[PersonId, Person]) -> list[ExportRow]:
    """The rows, without their first names; where these are needed, they are in the names. `rows`: sites by our ids.
    `known`: who is there already."""
    rows = list(rows)
    everyone = {row.cells["id"]: row for row in rows}
    places = {identity: _sites(row, known.get(PersonId(identity))) for identity, row in everyone.items()}
    here: dict[tuple[str, str], set[str]] = {}
    for identity, row in everyone.items():
        for site in places[identity]:
            here.setdefault((site, alike(row.cells.get("name", ""))), set()).add(identity)
    for person in known.values():
        for site in person.sites if person.id not in everyone else ():
            here.setdefault((site, alike(person.name)), set()).add(person.id)
    renamed: list[ExportRow] = []
    for row in rows:
        cells = dict(row.cells)
        identity, name, first = cells["id"], cells.get("name", ""), cells.pop(FIRST_NAME, "")
        if name and first:
            others = {each for site in places[identity] for each in here[site, alike(name)]} - {identity}
            firsts = [everyone[each].cells.get(FIRST_NAME, "") if each in everyone else "" for each in sorted(others)]
            cells["name"] = _called(name, first, firsts, known.get(PersonId(identity)))
        renamed.append(ExportRow(line=row.line, cells=cells))
    return renamed


def _sites(row: ExportRow, person: Person | None) -> tuple[str, ...]:
    written = row.cells.get("sites", "")
    return tuple(written.split(LIST_SEPARATOR)) if written else person.sites if person is not None else ()


def _called(name: str, first: str, rivals: list[str], person: Person | None) -> str:
    """`rivals`: first names of the others of this name; empty ones are not known."""
    if not rivals:
        is_so_called = person is not None and person.name in _forms(name, first)
        return person.name if person is not None and is_so_called else name
    for length, form in enumerate(_forms(name, first), start=1):
        if all(alike(each[:length]) != alike(first[:length]) for each in rivals):
            return form
    return next(iter(_forms(name, first)), name)  # as good as it gets: `alertd check` warns of them


def _forms(name: str, first: str) -> Iterator[str]:
    """With ever more of the first name, as far as texts have room: "J. Smith", "Jo. Smith", "Joe Smith"."""
    for length in range(1, len(first) + 1):
        form = f"{first[:length]}{'.' if length < len(first) else ''} {name}"
        if len(form) <= NAME_CHARACTERS_MAX:
            yield form
