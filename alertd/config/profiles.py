"""`profiles/*.toml`: a district's own profiles of sources and devices, beside those that ship with alertd.

Only read here, as tables that know their lines. What they mean, and what is wrong with it, is said by whoever has the
decoders (`ports.Profiles`); `alertd.lint` asks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from alertd.config.reading import Reading
from alertd.config.toml_files import read_toml
from alertd.config.toml_lines import Path

FOLDER = "profiles"


class ProfileFile(Struct, frozen=True, kw_only=True):
    """One file. `lines`: where each of its keys stands."""

    file: str
    table: Mapping[str, Any]
    lines: Mapping[Path, int] = {}

    def line_of(self, path: Path) -> int:
        """The line of a key; if no line is only its own (`[source.x]` is one of "source", too), of the first below it;
        if it is missing, of what is around it."""
        while path and path not in self.lines:
            below = [line for each, line in self.lines.items() if each[: len(path)] == path]
            if below:
                return min(below)
            path = path[:-1]
        return self.lines.get(path, 0)


def read_profiles(reading: Reading, names: Sequence[str]) -> Iterator[ProfileFile]:
    """The files of the folder that can be read; the others are problems."""
    for name in names:
        file = f"{FOLDER}/{name}"
        table = read_toml(reading.directory / file, file, reading.findings)
        if table is not None:
            yield ProfileFile(file=file, table=table.raw(), lines=table.source.all_lines)
