"""Schools and rooms that two lists name, and what they are called here.

Owns which names mean one place: only spellings of one name ("Rm 204" and "RM 204"). Whatever else looks alike is kept
apart, and said: a room too many is a line to remove, a room too few sends people to a wrong place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from alertd.config.problems import Findings, quoted
from alertd.config.toml_files import Source
from alertd.exports.first_files import Room, School
from alertd.exports.importing import parts_of
from alertd.exports.naming import (
    alike,
    as_sent,
    room_ids,
    room_short,
    room_shorts,
    school_ids,
    school_shorts,
    short,
    slug,
    zone_of,
)
from alertd.exports.reading import ExportRow
from alertd.model.ids import DISTRICT


class _Named:
    """A name as it is first written, and where."""

    def __init__(self, name: str, file: str, line: int) -> None:
        self.name = name
        self.file = file
        self.line = line
        self.rooms: dict[str, _Named] = {}
        """By what their spellings have in common."""


class Places:
    """Every school that a person or a device names, with the rooms that devices name."""

    def __init__(
        self, people_file: str, devices_file: str, people: Iterable[ExportRow], devices: Iterable[ExportRow]
    ) -> None:
        self._named: dict[str, _Named] = {}
        for row in devices:
            site, room = row.cells.get("site", ""), row.cells.get("zone", "")
            school = self._add(site, devices_file, row.line)
            if school is not None and room:
                school.rooms.setdefault(alike(room), _Named(room, devices_file, row.line))
        for row in people:
            for site in parts_of(row.cells.get("sites", "")):
                self._add(site, people_file, row.line)
        self._ids = school_ids(each.name for each in self._named.values())
        self._room_ids = {key: room_ids(r.name for r in each.rooms.values()) for key, each in self._named.items()}
        self.schools = tuple(sorted(self._schools(), key=lambda school: school.id))

    def school(self, name: str) -> str:
        """The id of a school that was named; of the district, if that was."""
        return self._ids[self._named[alike(name)].name] if alike(name) != DISTRICT else DISTRICT

    def room(self, school: str, room: str) -> str:
        """The id of a room that was named; what it is called, if its school was not."""
        named = self._named.get(alike(school))
        return self._room_ids[alike(school)][named.rooms[alike(room)].name] if named is not None else room

    def say_what_was_told_apart(self, findings: Findings) -> None:
        """Names that would have become one: they may be one, misspelt, which only people know."""
        shorts = {school.name: school.short for school in self.schools}
        for clashing in _clashes(self._named.values(), slug):
            said = ", ".join(f"{quoted(each.name)} is {self._ids[each.name]}" for each in clashing)
            remedy = "if they are one school, write it in one way in both lists, and begin again"
            _warn(clashing, "sites", f"are taken for different schools: {said}", remedy, findings)
        for clashing in _clashes(self._named.values(), lambda name: as_sent(short(name))):
            said = ", ".join(f"{quoted(each.name)} with {quoted(shorts[each.name])}" for each in clashing)
            files = ", ".join(f"sites/{self._ids[each.name]}.toml" for each in clashing)
            message = f"would open their texts alike; now {said}"
            _warn(clashing, "sites", message, f"say what people there say: short = in {files}", findings)
        for key, school in self._named.items():
            for clashing in _clashes(school.rooms.values(), zone_of):
                said = ", ".join(f"{quoted(each.name)} is {self._room_ids[key][each.name]}" for each in clashing)
                message = f"are taken for different rooms of {quoted(school.name)}: {said}"
                remedy = "if they are one room, write it in one way in every row, and begin again"
                _warn(clashing, "zone", message, remedy, findings)

    def _add(self, name: str, file: str, line: int) -> _Named | None:
        if not name or alike(name) == DISTRICT:
            return None
        return self._named.setdefault(alike(name), _Named(name, file, line))

    def _schools(self) -> Iterator[School]:
        shorts = school_shorts(each.name for each in self._named.values())
        for key, each in self._named.items():
            rooms = _rooms(each.rooms.values(), self._room_ids[key])
            yield School(
                id=self._ids[each.name],
                name=each.name,
                short=shorts[each.name],
                rooms=tuple(rooms),
                named_in=(each.file, each.line),
            )


def _rooms(named: Iterable[_Named], ids: Mapping[str, str]) -> Iterator[Room]:
    named = list(named)
    shorts = room_shorts(each.name for each in named)
    clash = {each.name for clashing in _clashes(named, lambda name: as_sent(room_short(name))) for each in clashing}
    for each in named:  # the configuration's own short name, unless it is another's, too
        own = shorts[each.name] if each.name in clash else room_short(each.name)
        yield Room(id=ids[each.name], label=each.name, short=own, line=each.line)


def _clashes(named: Iterable[_Named], look: Callable[[str], str]) -> Iterator[list[_Named]]:
    """Those that would be one, in the order in which they are written."""
    found: dict[str, list[_Named]] = {}
    for each in named:
        found.setdefault(look(each.name), []).append(each)
    return (each for each in found.values() if len(each) > 1)


def _warn(clashing: list[_Named], key: str, message: str, remedy: str, findings: Findings) -> None:
    last = clashing[-1]
    Source(last.file, findings).warn((key,), message, remedy, line=last.line)
