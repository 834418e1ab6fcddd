"""Proof that the promises are guarded: break alertd on purpose, in a copy of the tree, and see who notices.

    .venv/bin/python scripts/mutants.py                    all of them, and which checker is tripped by what
    .venv/bin/python scripts/mutants.py drill lease        those whose name contains one of the words
    .venv/bin/python scripts/mutants.py --quick            those that a quick test must catch: a minute
    .venv/bin/python scripts/mutants.py --sample           a third of those, another with each commit, and of the
                                                           simulation's the ones that are soon caught
    .venv/bin/python scripts/mutants.py --checkers         only those of the simulation; ends with the table of checkers
    .venv/bin/python scripts/mutants.py --write            all, and docs/mutants.md gets what came out
    .venv/bin/python scripts/mutants.py --keep FILE        what FILE says was caught is not tried; the rest goes there
    .venv/bin/python scripts/mutants.py --list             what there is; nothing is run

A mutant is a change of the source text. A quick test catches it by an assertion that names the promise; or the
simulation does, by a checker on a day of the swarm (seeds from 1 upwards) or in a story, where the intact tree has no
such complaint. Exits 0 only if every one is caught, and, when all of the simulation's were run, each checker was
tripped: a mutant that survives, or a checker that nothing trips, is a hole.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from zlib import crc32

from mutation import page, table
from mutation.catalogue import MUTANTS
from mutation.kept import KeptResults
from mutation.mutant import Mutant, Result, Tests
from mutation.tree import Tree
from mutation.trial import Intact, try_out

HERE = Path(__file__).parent
SAMPLE_PARTS = 3
"""Seven hundred take ten minutes of two cores; `make test` has twenty for all."""


def main() -> int:
    options = _options()
    chosen = [mutant for mutant in MUTANTS if _is_meant(mutant, options)]
    if options.list:
        print(table.listed(chosen))
        return 0
    began = time.monotonic()
    results = _try_all(chosen, options.jobs, KeptResults(options.keep))
    minutes = (time.monotonic() - began) / 60
    print("\n" + table.of_mutants(results))
    whole = {mutant for mutant in MUTANTS if not isinstance(mutant.by, Tests)} <= set(chosen)
    if whole:
        print("\n" + table.of_checkers(results))
    holes = [result for result in results if result.wrong]
    idle = table.idle_checkers(results) if whole else []
    print(f"\n{len(results) - len(holes)} of {len(results)} mutants caught, {minutes:.1f} min", end="")
    print(f"; checkers that nothing trips: {', '.join(idle) or 'none'}" if whole else "")
    if options.write and len(chosen) == len(MUTANTS):
        page.write(results, jobs=options.jobs)
    return 1 if holes or idle else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only mutants whose name contains one of these")
    parser.add_argument("--quick", action="store_true", help="only those that a quick test must catch")
    parser.add_argument("--sample", action="store_true", help="a third of those, and the cheap ones of the simulation")
    parser.add_argument("--checkers", action="store_true", help="only those of the simulation")
    parser.add_argument("--write", action="store_true", help="write what came out to docs/mutants.md")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="go on where a run was stopped: results stand there")
    parser.add_argument("--list", action="store_true", help="run nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at once")
    return parser.parse_args()


def _is_meant(mutant: Mutant, options: argparse.Namespace) -> bool:
    quick = isinstance(mutant.by, Tests)
    wanted = (not options.quick or quick) and (not options.checkers or not quick)
    wanted = wanted and (not options.sample or mutant.cheap or (quick and _is_of_this_commit(mutant)))
    words = [word.lower() for word in options.words]
    return wanted and (not words or any(word in mutant.name.lower() for word in words))


def _is_of_this_commit(mutant: Mutant) -> bool:
    return (crc32(mutant.name.encode()) + _commit()) % SAMPLE_PARTS == 0


@cache
def _commit() -> int:
    """0 where there is no git, or no repository."""
    try:
        asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:
        return 0
    return int(asked.stdout, 16) if asked.returncode == 0 else 0


def _try_all(chosen: Sequence[Mutant], jobs: int, kept: KeptResults) -> list[Result]:
    """In the order of the catalogue; each is told of when it is done."""
    with tempfile.TemporaryDirectory(prefix="alertd-mutants-") as folder:
        intact = Tree.copy(Path(folder) / "intact")
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(min(jobs, len(chosen))):
            trees.put(intact.twin(Path(folder) / f"mutant-{number + 1}"))
        days = Intact(intact)

        def one(mutant: Mutant) -> Result:
            known = kept.of(mutant)
            if known is not None:
                return known
            tree = trees.get()
            try:
                result = try_out(mutant, tree, days)
            finally:
                trees.put(tree)
            kept.keep(result)
            sys.stdout.write(f"{table.line(result)}\n")  # in one piece: others write, too
            sys.stdout.flush()
            return result

        with ThreadPoolExecutor(jobs) as threads:
            return list(threads.map(one, chosen))


if __name__ == "__main__":
    sys.exit(main())
