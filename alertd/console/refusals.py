"""What the API answers when it does not do what was asked: what is wrong, where, and what to do. One shape for all."""

from collections.abc import Iterable

from msgspec import Struct

from alertd.config.problems import did_you_mean, quoted


class Refusal(Struct, frozen=True, kw_only=True):
    """Body of every answer that is not 2xx."""

    error: str
    where: str
    remedy: str
    problems: tuple[str, ...] = ()
    """Of a refused reload: every problem, rendered."""


class RefusedError(Exception):
    """Carries a refusal and its status out of a route. Nothing was committed."""

    def __init__(self, status: int, refusal: Refusal) -> None:
        super().__init__(refusal.error)
        self.status = status
        self.refusal = refusal


def unknown(what: str, name: str, where: str, known: Iterable[str]) -> RefusedError:
    """404 with the nearest name that exists."""
    remedy = did_you_mean(name, known)
    return RefusedError(404, Refusal(error=f"there is no {what} {quoted(name)}", where=where, remedy=remedy))


def refused(status: int, error: str, where: str, remedy: str) -> RefusedError:
    return RefusedError(status, Refusal(error=error, where=where, remedy=remedy))
