"""A copy of the tree, in which a mutant may live: the working tree is never touched.

Owns copying, changing and putting back. Must never leave a mutant behind.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mutation.mutant import Edit, Mutant

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("alertd", "adapters", "simulator", "tests", "config", "docs", "pyproject.toml")
PACKAGES = ("", "adapters", "simulator")
NICE = 5
"""Mutants give way to whatever else the machine does."""
WALL_TIMES = 10
"""A machine that does much else gives them a tenth of a processor. Whoever waits for nothing ends after this."""


class SourceChangedError(Exception):
    """The source is not what a mutant was written for."""


def misfits(mutant: Mutant, root: Path = ROOT) -> list[str]:
    """What a mutant would change and no longer finds, or finds more than once."""
    found = []
    for edit in mutant.edits:
        path = root / edit.file
        times = path.read_text(encoding="utf-8").count(edit.old) if path.exists() else 0
        if times != 1:
            found.append(f"{edit.file} says {edit.old!r} {times} times: mend the mutant")
    return found


class Tree:
    """One copy. `broken` by one mutant at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def copy(cls, folder: Path) -> "Tree":
        """Of the working tree, compiled. Checked by content: a mutant may be as long, and as young, as the original."""
        folder.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)
        checked = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash"]
        subprocess.run([sys.executable, *checked, "alertd", "adapters", "simulator"], cwd=folder, check=True)  # noqa: S603
        return cls(folder)

    def twin(self, folder: Path) -> "Tree":
        """One more copy, of the same moment: others may be at work on the tree."""
        shutil.copytree(self.folder, folder)
        return Tree(folder)

    @contextmanager
    def broken(self, edits: Sequence[Edit]) -> Iterator[None]:
        before: dict[Path, str] = {}
        try:
            for edit in edits:
                path = self.folder / edit.file
                text = path.read_text(encoding="utf-8")
                if text.count(edit.old) != 1:
                    raise SourceChangedError(f"{edit.file} says {edit.old!r} {text.count(edit.old)} times")
                before.setdefault(path, text)
                path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
            yield
        finally:
            for path, text in before.items():
                path.write_text(text, encoding="utf-8")

    def python(self, *arguments: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
        """Run in it. `timeout_s`: of a processor's time. Raises `subprocess.TimeoutExpired`."""
        paths = os.pathsep.join(str(self.folder / part) for part in PACKAGES)
        seconds = int(timeout_s)
        done = subprocess.run(  # noqa: S603 - our own code
            ["prlimit", f"--cpu={seconds}:{seconds + 5}", "nice", "-n", str(NICE), sys.executable, *arguments],  # noqa: S607
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=timeout_s * WALL_TIMES,
            check=False,
        )
        if done.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
            raise subprocess.TimeoutExpired(arguments, timeout_s)
        return done
