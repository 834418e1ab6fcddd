"""Ids and short names out of what people call their schools and rooms.

Owns that two different names never become one: neither one id, nor one word in a text. Must never drop a letter of
another script: it is written in Latin ones, as texts are.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import count
from typing import NamedTuple

from anyascii import anyascii

from alertd.config.sites import SHORT_CHARACTERS_MAX
from alertd.engine.gsm7 import to_gsm7
from alertd.model.ids import DISTRICT

ID_CHARACTERS_MAX = 60
"""A site is named by its file, a room by a table: 64 at most."""
ROOM_SHORT_CHARACTERS_MAX = 30
SHORTER = {"elementary": "elem", "academy": "acad", "junior": "jr", "school": "", "schools": "", "county": "co"}


def alike(name: str) -> str:
    """The same for spellings of one name: "Rm 204" and "RM 204", composed letters and others."""
    return unicodedata.normalize("NFKC", name).casefold()


def as_sent(words: str) -> str:
    """The same for words that people could not tell apart in a text."""
    return " ".join(to_gsm7(words).split()).casefold()


def slug(name: str) -> str:
    """An id out of a name: "Rm 204, East" -> "rm-204-east", "Школа 1" -> "shkola-1"; empty if it has no letter."""
    return re.sub(r"[^a-z0-9]+", "-", anyascii(name).casefold()).strip("-")[:ID_CHARACTERS_MAX].strip("-")


def zone_of(room: str) -> str:
    """An id for a room, without the way there: "Rm 204, 2nd fl East" -> "rm-204"."""
    return slug(room.partition(",")[0]) or slug(room)


def short(name: str) -> str:
    """What opens every text: "Oak Elementary School" -> "OAK ELEM"."""
    return " ".join(_abbreviated(name)).upper()[:SHORT_CHARACTERS_MAX].strip() or "SCHOOL"


def room_short(label: str) -> str:
    """As the configuration makes it of a label that has no other."""
    return label.partition(",")[0]


def school_ids(names: Iterable[str]) -> dict[str, str]:
    return _told_apart(names, lambda name: [slug(name) or "school"], _Room(ID_CHARACTERS_MAX, "-"), alike, {DISTRICT})


def room_ids(rooms: Iterable[str]) -> dict[str, str]:
    """Of one school."""
    return _told_apart(
        rooms, lambda room: [zone_of(room) or "room", slug(room) or "room"], _Room(ID_CHARACTERS_MAX, "-"), alike
    )


def school_shorts(names: Iterable[str]) -> dict[str, str]:
    """Of all schools: what opens the texts of one must not open those of another."""
    return _told_apart(names, _school_shorts, _Room(SHORT_CHARACTERS_MAX, " "), as_sent)


def room_shorts(rooms: Iterable[str]) -> dict[str, str]:
    """Of one school: no longer than tells them apart, for every letter is missing from a text."""
    return _told_apart(rooms, _room_shorts, _Room(ROOM_SHORT_CHARACTERS_MAX, " "), as_sent)


class _Room(NamedTuple):
    """How much there is for a name and its number, and what stands between them."""

    longest: int
    separator: str


def _told_apart(
    names: Iterable[str],
    forms: Callable[[str], list[str]],
    room: _Room,
    look: Callable[[str], str],
    taken: Collection[str] = (),
) -> dict[str, str]:
    """Each name, and what it is called here: its first form, if that is nobody else's. Of those that clash all get the
    next form that tells them apart, or else a number. `look`: what makes two forms one. The order of the names does not
    matter."""
    known = {name: forms(name) for name in sorted(set(names))}
    groups: dict[str, list[str]] = {}
    for name, its in known.items():
        groups.setdefault(look(its[0]), []).append(name)
    found = {group[0]: known[group[0]][0] for group in groups.values() if len(group) == 1}
    found = {name: form for name, form in found.items() if form not in taken}
    used = {*taken, *map(look, found.values())}
    for group in groups.values():
        if group[0] not in found:
            told = _of_a_group({name: known[name] for name in group}, room, look, used)
            found |= told
            used |= set(map(look, told.values()))
    return found


def _of_a_group(
    group: dict[str, list[str]], room: _Room, look: Callable[[str], str], used: Collection[str]
) -> dict[str, str]:
    for level in range(1, max(map(len, group.values()))):
        told = {name: its[min(level, len(its) - 1)] for name, its in group.items()}
        looks = set(map(look, told.values()))
        if len(looks) == len(group) and looks.isdisjoint(used):
            return told
    told, used = {}, set(used)
    for name, its in group.items():
        told[name] = next(each for each in _numbered(its[-1], room) if look(each) not in used)
        used.add(look(told[name]))
    return told


def _school_shorts(name: str) -> list[str]:
    return [short(name), *(_squeezed(words) for words in (_abbreviated(name), _words(name)) if words)]


def _room_shorts(room: str) -> list[str]:
    """First "Rm 101", then "Rm 101 Annex", "Rm 101 Annex across" …"""
    own, _, way = room.partition(",")
    forms = [" ".join((own.strip(), *way.replace(",", " ").split()[:words])) for words in range(len(way.split()) + 1)]
    return [form[:ROOM_SHORT_CHARACTERS_MAX].strip() or "Room" for form in forms]


def _numbered(own: str, room: _Room) -> Iterator[str]:
    yield own
    for number in count(2):
        suffix = f"{room.separator}{number}"
        yield own[: room.longest - len(suffix)].strip(room.separator) + suffix


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", anyascii(name).casefold())


def _abbreviated(name: str) -> list[str]:
    return [each for each in (SHORTER.get(word, word) for word in _words(name)) if each]


def _squeezed(words: list[str]) -> str:
    """Something of each word: "WASHING ELEM"."""
    words = list(words)
    while len(" ".join(words)) > SHORT_CHARACTERS_MAX and max(map(len, words)) > 1:
        longest = max(range(len(words)), key=lambda index: len(words[index]))
        words[longest] = words[longest][:-1]
    return " ".join(words).upper()[:SHORT_CHARACTERS_MAX].strip()
