"""One life of the daemon, and the ways in which it ends: in the nth call of a named port, or from outside.

Owns the rule that makes crashes true: after a death every port refuses, whatever `finally` blocks still run. Must know
nothing of what the ports do.
"""

from collections.abc import Callable

from alertd_simulator.world.plan import Crash


class DeadError(BaseException):
    """A dead incarnation reached for a port. Not an `Exception`: nothing may handle it and go on."""


def only_dead(error: BaseException) -> bool:
    """Is this nothing but the last words of the dead?"""
    if isinstance(error, BaseExceptionGroup):
        return all(only_dead(each) for each in error.exceptions)
    return isinstance(error, DeadError)


class Trap:
    """Waits for its call. `left` counts down as matching calls pass."""

    def __init__(self, crash: Crash) -> None:
        self.crash = crash
        self.left = crash.nth

    def springs(self, port: str) -> bool:
        if port != self.crash.port and not port.startswith(self.crash.port + ":"):
            return False
        self.left -= 1
        return self.left == 0


class Life:
    """A number, and whether it lives. `on_death(why, crash)` is called once, in the very call that kills."""

    def __init__(self, number: int, traps: list[Trap], on_death: Callable[[str, Crash | None], None]) -> None:
        self.number = number
        self.alive = True
        self.calls: dict[str, int] = {}
        self._traps = traps
        self._on_death = on_death

    def refuse_if_dead(self) -> None:
        if not self.alive:
            raise DeadError(f"incarnation {self.number} is dead")

    def sprung(self, port: str) -> Trap | None:
        """Count the call; the trap that it springs, if any. Raises `DeadError` if there is no life to spring it."""
        self.refuse_if_dead()
        self.calls[port] = self.calls.get(port, 0) + 1
        for trap in self._traps:
            if trap.springs(port):
                self._traps.remove(trap)
                return trap
        return None

    def passing(self, port: str) -> "Passing":
        """Around a call that acts at one instant: dies before it acts, or when it has acted and nobody has heard."""
        return Passing(self, port)

    def die(self, why: str, crash: Crash | None = None) -> None:
        if self.alive:
            self.alive = False
            self._on_death(why, crash)


class Passing:
    """See `Life.passing`. A class: of a day's 7,000 calls hardly one springs a trap."""

    __slots__ = ("_life", "_port", "_trap")

    def __init__(self, life: Life, port: str) -> None:
        self._life = life
        self._port = port
        self._trap: Trap | None = None

    def __enter__(self) -> None:
        life, trap = self._life, self._life.sprung(self._port)
        if trap is not None and trap.crash.moment == "before":
            life.die(f"{self._port} {life.calls[self._port]} before", trap.crash)
            life.refuse_if_dead()
        self._trap = trap

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            return
        life, trap = self._life, self._trap
        if trap is not None and trap.crash.moment != "before":
            life.die(f"{self._port} {life.calls[self._port]} {trap.crash.moment}", trap.crash)
        life.refuse_if_dead()
