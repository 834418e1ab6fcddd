"""Would every plugin take its settings? For `alertd check` and `alertd doctor`, on a machine that may have no secrets.

Builds each adapter as the daemon would, and throws it away. Must never let one of them talk to anybody.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from alertd.config import Loaded, Problem, ProblemSeverity, Section, Settings, secret
from alertd.daemon.system_clock import SystemClock
from alertd.plugins import PluginError, build
from alertd.ports import HttpNotSentError, HttpRequest, HttpResponse, NotHereError, SettingsError, Surroundings

SECRET_REMEDY = "give it to the daemon; what else is in this section could not be checked without it"


class NoNetwork:
    """`ports.Http` that sends nothing."""

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        raise HttpNotSentError(f"{request.url} within {timeout_s} s: a check sends nothing")


def surroundings_of(loaded: Loaded) -> Surroundings:
    """For plugins that are asked what they would make of a configuration, and make nothing."""
    return Surroundings(
        clock=SystemClock(),
        http=NoNetwork(),
        secret=secret,
        registry=lambda: loaded.registry,
        profiles=loaded.profile_tables,
    )


def unbuildable(
    sections: Iterable[Section],
    settings: Settings,
    directory: Path | None = None,
    profiles: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Problem]:
    """What the plugins say against their sections. A secret that this shell does not have is only a warning: the
    daemon's unit may well give it, and the rest of the section is then not known to be right."""
    missing: list[str] = []

    def looked_up(name: str) -> str:
        try:
            return secret(name)
        except LookupError:
            missing.append(name)
            raise

    surroundings = Surroundings(
        clock=SystemClock(),
        http=NoNetwork(),
        secret=looked_up,
        public_base_url=settings.public_base_url,
        profiles=profiles or {},
        extra={"state_dir": settings.state_dir, "config_dir": directory, "checking": True},
    )
    for section in sections:
        missing.clear()
        try:
            build(section, surroundings)
        except NotHereError as error:
            found = replace(section.problem(error), severity=ProblemSeverity.WARNING)
        except SettingsError as error:
            found = section.problem(error)
        except PluginError as error:
            key = f"{section.table}.{section.name}"
            found = Problem(file=section.file, line=section.line, key=key, message=str(error), remedy=error.remedy)
        else:
            continue
        yield replace(found, severity=ProblemSeverity.WARNING, remedy=SECRET_REMEDY) if missing else found
