"""Results that are kept between runs, a line of JSON each: all mutants take most of an hour, and may be interrupted.

Owns the file. A result is of the sources that it was tried on: whoever changes alertd begins a new file.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from mutation.mutant import Mutant, Result


class KeptResults:
    """Those of one file; of none, if there is no path: then every mutant is tried."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known = dict(_read(path)) if path is not None and path.exists() else {}

    def of(self, mutant: Mutant) -> Result | None:
        """What came out when exactly this mutant was caught; a hole is tried again."""
        known = self._known.get(repr(mutant))
        return None if known is None or known["wrong"] else Result(mutant=mutant, **known)

    def keep(self, result: Result) -> None:
        if self._path is None:
            return
        fields = {name: value for name, value in vars(result).items() if name != "mutant"}
        line = msgspec.json.encode({"mutant": repr(result.mutant), "result": fields})
        with self._path.open("ab") as file:
            file.write(line + b"\n")


def _read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in path.read_bytes().splitlines():
        known = msgspec.json.decode(line)
        yield known["mutant"], known["result"] | {"tripped": tuple(known["result"]["tripped"])}
