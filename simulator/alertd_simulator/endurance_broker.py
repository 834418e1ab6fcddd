"""The shipped mosquitto.conf, put on this machine: other ports, other paths, nothing else.

Owns which lines may differ from what we ship. Must never touch a line that says what mosquitto keeps, saves or drops: a
run with other settings proves nothing about ours. Every change is said, so that it can be printed.
"""

from collections.abc import Mapping

from msgspec import Struct

PLACES = ("certfile", "keyfile", "password_file", "acl_file", "persistence_location")
"""Settings that name a path. A line that is none of these, and no `listener`, stays as it is."""


class Adapted(Struct, frozen=True, kw_only=True):
    text: str
    changes: tuple[str, ...]
    """Each line that differs, as "shipped  →  here"."""


def adapt(shipped: str, *, ports: Mapping[str, int], paths: Mapping[str, str], extra: tuple[str, ...] = ()) -> Adapted:
    """`ports`: shipped port → port here; both listeners then listen on loopback only. `extra`: lines for the end."""
    assert set(paths) == set(PLACES), f"paths for {sorted(PLACES)}, not {sorted(paths)}"
    lines, changes = [], []
    for line in shipped.splitlines():
        key, _, value = line.partition(" ")
        here = line
        if key == "listener":
            here = f"listener {ports[value.split()[0]]} 127.0.0.1"
        elif key in paths:
            here = f"{key} {paths[key]}"
        if here != line:
            changes.append(f"{line}  →  {here}")
        lines.append(here)
    changes += [f"(none)  →  {line}" for line in extra]
    return Adapted(text="\n".join((*lines, *extra)) + "\n", changes=tuple(changes))


def change_settings(shipped: str, settings: Mapping[str, str]) -> str:
    """The same configuration with other values, to see what a setting is worth. Only settings that are in it."""
    lines = []
    left = dict(settings)
    for line in shipped.splitlines():
        key = line.partition(" ")[0]
        lines.append(f"{key} {left.pop(key)}" if key in left else line)
    assert not left, f"the shipped configuration has no {sorted(left)}"
    return "\n".join(lines) + "\n"
