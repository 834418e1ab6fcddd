"""`Verdict`: what one simulated day showed."""

from msgspec import Struct

from alertd_simulator.world.happenings import Happening
from alertd_simulator.world.plan import Plan


class Violation(Struct, frozen=True, kw_only=True):
    """One broken promise. `checker` names it; the message says who, where and when, for people."""

    at_us: int
    checker: str
    message: str


class Verdict(Struct, frozen=True, kw_only=True):
    plan: Plan
    violations: tuple[Violation, ...]
    edges: dict[str, int]
    """"fault × edge" pairs that were taken, and how often. Edges are named as in `world.edges`."""
    counts: dict[str, int]
    """Presses, notifications, commits, crashes …"""
    virtual_s: float
    trace_sha256: str
    trace: tuple[str, ...] = ()
    """Line by line, if it was asked for."""
    happenings: tuple[Happening, ...] = ()
    """If they were asked for."""
    crash: str = ""
    """The simulation itself failed (an error in daemon or world that nobody caught): traceback."""

    @property
    def passed(self) -> bool:
        return not self.violations and not self.crash
