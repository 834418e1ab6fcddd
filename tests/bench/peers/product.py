"""What a user could pick instead of alertd: where its program is, how it is started, and with which settings.

Owns: finding it, and saying how to install what is not there. Must never install anything, and never take a product
that is absent for one that lost nothing.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

VERSION = re.compile(r"\d+\.\d+[\w.+-]*")
ANSWERS_WITHIN_S = 60


class Launch(Struct, frozen=True, kw_only=True):
    """How its process is started. It may be killed, and started again in just this way."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = {}
    alerts_port: int | None = None
    """It takes presses by HTTP on this port of 127.0.0.1, not by MQTT."""


Prepare = Callable[[str, Path, int, str], Launch]
"""Writes its settings. Its program, a folder of its own, the broker's port on 127.0.0.1, the URL of the webhook."""


class Product(Struct, frozen=True, kw_only=True):
    """One product with its most careful sensible settings."""

    name: str
    prepare: Prepare
    settings: tuple[str, ...]
    """Said beside its figures."""


class Peer(Struct, frozen=True, kw_only=True):
    """A product that is not ours, and may be absent."""

    product: Product
    variable: str
    """Environment variable that names its program."""
    programs: tuple[str, ...]
    """Its names in PATH."""
    install: str


class Found(Struct, frozen=True):
    product: Product
    program: str
    version: str


class Absent(Struct, frozen=True):
    name: str
    why: str


def find(peer: Peer, environment: Mapping[str, str]) -> Found | Absent:
    """The variable first, then PATH. Runs `PROGRAM --version`."""
    path = environment.get("PATH", "")
    named = environment.get(peer.variable)
    candidates = (named,) if named else peer.programs
    program = next((found for name in candidates if (found := shutil.which(name, path=path))), None)
    name = peer.product.name
    if program is None and named:
        return Absent(name, f"{peer.variable} names {named}, which is no program that may be run")
    if program is None:
        looked_for = " or ".join(peer.programs)
        return Absent(name, f"not installed ({looked_for} is not in PATH, {peer.variable} is not set). {peer.install}")
    return _asked(peer, program)


def _asked(peer: Peer, program: str) -> Found | Absent:
    try:
        run = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=ANSWERS_WITHIN_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Absent(peer.product.name, f"{program} is there, but --version failed: {error}")
    said = VERSION.search(run.stdout + run.stderr)
    return Found(peer.product, program, said[0] if said else "version unknown")
