"""Tells something outside that alertd works: a URL is pinged only while every part is *proven* to work.

Owns: the proofs (broker session, a commit through the door, the claim loop) and the ping. Must never: ping because a
process exists. Silence is the alarm; whoever watches the URL rings when it stops.
"""

import asyncio
from collections.abc import Callable, Mapping

import structlog
from msgspec import Struct

from alertd.daemon.dispatch import Dispatch
from alertd.daemon.intake import Intake
from alertd.model.events import TroubleCleared
from alertd.model.ids import DISTRICT
from alertd.ports import Clock, Door, Http, HttpNoAnswerError, HttpNotSentError, HttpRequest, NotCommittedError, Source

PROBE_EVERY_S = 10.0
PROBE_KEY = "proof-of-life:probe"
FRESH_S = 30.0
"""A proof older than this is none."""
PING_TIMEOUT_S = 10.0

log = structlog.get_logger(__name__)


class Life(Struct, frozen=True, kw_only=True):
    """What is proven now. `None` ages: never yet."""

    sources: dict[str, bool]
    commit_age_s: float | None
    dispatch_age_s: float | None
    durable: bool
    alive: bool
    why_not: str = ""
    stuck: str = ""
    """Of `why_not`, what only a fresh start of this process may mend: nothing is written, or nothing is claimed. A
    broker that is away or a full disk is none: to be killed then would take from people what still works."""


class ProofOfLife:
    def __init__(
        self,
        *,
        clock: Clock,
        intake: Intake,
        dispatch: Dispatch,
        sources: Callable[[], Mapping[str, Source]],
        durable: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._intake = intake
        self._dispatch = dispatch
        self._sources = sources
        self._durable = durable
        self.last_ping = ""
        """How the last ping went, in words; empty before the first."""

    def status(self) -> Life:
        """For the console's health page, the ping, and systemd."""
        sources = {name: source.is_connected for name, source in self._sources().items()}
        commit_age_s = self._age_s(self._intake.last_commit_us)
        dispatch_age_s = self._age_s(self._dispatch.last_pass_us)
        doubts = [f"{name} is not connected" for name, connected in sources.items() if not connected]
        stuck = []
        if not sources:
            doubts.append("there is no source of presses")
        if not self._durable():
            doubts.append("commits do not reach the disk")
        if not _is_fresh(commit_age_s):
            doubts.append("no recent commit")
        if not _is_fresh(self._age_s(self._intake.last_settled_us)):
            stuck.append("the writer stands still")
        if not _is_fresh(dispatch_age_s):
            doubts.append("the claim loop does not pass")
            stuck.append("the claim loop does not pass")
        return Life(
            sources=sources,
            commit_age_s=commit_age_s,
            dispatch_age_s=dispatch_age_s,
            durable=self._durable(),
            alive=not doubts,
            why_not="; ".join(doubts),
            stuck="; ".join(stuck),
        )

    async def probe(self, door: Door) -> None:
        """A commit through the door, every few seconds, so that a quiet night still proves the writer."""
        while True:
            try:
                await door.submit(TroubleCleared(site_id=DISTRICT, key=PROBE_KEY))
            except NotCommittedError as error:
                log.warning("probe_not_committed", error=str(error))
            await asyncio.sleep(PROBE_EVERY_S)

    async def ping(self, door: Door, http: Http, url: str, every_s: float) -> None:
        """The outbound heartbeat. A failed ping is only logged: its receiver is the one that rings."""
        while True:
            await asyncio.sleep(every_s)
            life = self.status()
            if not life.alive:
                self.last_ping = f"withheld: {life.why_not}"
                door.observe("heartbeat", "withheld")
                log.error("heartbeat_withheld", why=life.why_not)
                continue
            try:
                response = await http.send(HttpRequest(method="GET", url=url), timeout_s=PING_TIMEOUT_S)
                self.last_ping = f"answered {response.status}"
                door.observe("heartbeat", "pinged" if response.status < 400 else "refused")
            except (HttpNotSentError, HttpNoAnswerError) as error:
                self.last_ping = "no answer"
                door.observe("heartbeat", "unanswered")
                log.warning("heartbeat_unanswered", error=type(error).__name__)

    def _age_s(self, since_us: int | None) -> float | None:
        return None if since_us is None else (self._clock.now().boot_us - since_us) / 1_000_000


def _is_fresh(age_s: float | None) -> bool:
    return age_s is not None and age_s <= FRESH_S
