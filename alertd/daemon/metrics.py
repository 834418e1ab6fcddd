"""What Prometheus reads at /metrics: the numbers of a running daemon, each with a HELP that a stranger understands.

Must never: hold up a press (one reading at a time, remembered for a moment), fail because the store cannot be read, or
carry a label that names a person, a number, a device or a secret.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import structlog
from msgspec import Struct
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from alertd.daemon.measures import Measures
from alertd.daemon.proof_of_life import Life
from alertd.daemon.telemetry import Telemetry
from alertd.model.ids import DrillId, SiteId
from alertd.model.incident import Incident
from alertd.model.trouble import Trouble
from alertd.ports import Clock, OutboxCount, Store, StoreError

REMEMBERED_S = 2.0
"""So long the same answer is given again: whoever asks without a pause costs no more."""
INCIDENTS_MAX = 10_000
"""Open incidents counted."""
NIGHTLY = "nightly"
_HEARD = "arrivals"
_MESSAGES = {_HEARD: "heard", "refused": "refused", "unknown": "unknown", "unregistered": "unregistered"}
"""What sources count -> what it is called here."""
_TELEMETRY = ("telemetry", "telemetry_not_understood")
"""The same of what comes as telemetry, which a source may have alone."""
_GOOD = "_good"

log = structlog.get_logger(__name__)

LabelsT = TypeVar("LabelsT", bound=tuple[str, ...])


class Standing(Struct, frozen=True, kw_only=True):
    """What is read of the database for one answer."""

    outbox: tuple[OutboxCount, ...]
    incidents: tuple[Incident, ...]
    """Open ones."""
    troubles: tuple[Trouble, ...]


class Metrics(Collector):
    """Asked by the console, filled from the daemon's parts."""

    def __init__(  # noqa: PLR0913 - everything that is measured
        self,
        *,
        store: Store,
        clock: Clock,
        measures: Measures,
        telemetry: Telemetry,
        life: Callable[[], Life],
        drills: Callable[[], Mapping[SiteId, DrillId]],
        version: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._measures = measures
        self._telemetry = telemetry
        self._life = life
        self._drills = drills
        self._version = version
        self._standing: Standing | None = None
        self._reading = asyncio.Lock()
        self._answer: tuple[int, bytes] | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    async def render(self) -> bytes:
        """The text format 0.0.4 of Prometheus."""
        async with self._reading:
            now_us = self._clock.now().boot_us
            if self._answer is None or now_us - self._answer[0] > REMEMBERED_S * 1_000_000:
                self._standing = await asyncio.to_thread(self._read)
                self._answer = (now_us, generate_latest(self._registry))
            return self._answer[1]

    def _read(self) -> "Standing | None":
        """In a thread of its own, over a read-only connection: the writer is not asked."""
        store = self._store
        try:
            return Standing(
                outbox=store.read_outbox(self._clock.now().wall_us),
                incidents=store.read_incidents(open_only=True, site_id=None, limit=INCIDENTS_MAX),
                troubles=store.read_troubles(),
            )
        except StoreError as error:
            log.warning("metrics_not_read", error=str(error))
            return None

    def collect(self) -> Iterator[Metric]:
        yield from self._alive()
        yield from self._happened()
        yield _gauge(
            "alertd_store_readable",
            "1 if the database could be read just now; at 0 open incidents, troubles and the outbox are missing here.",
            (),
            {(): self._standing is not None},
        )
        if self._standing is not None:
            yield from self._going_on(self._standing)
            yield from self._waiting(self._standing.outbox)
        yield self._commits()
        yield self._messages()
        yield from self._house()

    def _alive(self) -> Iterator[Metric]:
        life = self._life()
        yield _gauge(
            "alertd_alive",
            "1 while everything between a button and a phone is proven to work (broker session, commit, claim loop),"
            " 0 otherwise. The same proof feeds the heartbeat URL and GET /v1/health.",
            (),
            {(): life.alive},
        )
        yield _gauge(
            "alertd_source_connected",
            "1 while the session with a source of presses (an MQTT broker) stands. 0: presses wait there, or are lost.",
            ("source",),
            {(name,): connected for name, connected in life.sources.items()},
        )
        ages = {"commit": life.commit_age_s, "dispatch": life.dispatch_age_s}
        yield _gauge(
            "alertd_proof_age_seconds",
            "Seconds since a proof of life: a commit that reached the disk, a pass of the loop that claims messages."
            " Both happen every few seconds also when nobody presses; above 30 alertd no longer calls itself alive.",
            ("proof",),
            {(name,): age for name, age in ages.items() if age is not None},
        )
        yield _gauge(
            "alertd_disk_durable",
            "1 while commits reach the disk. 0: it is full or fails, records are in memory, people are still told.",
            (),
            {(): life.durable},
        )

    def _happened(self) -> Iterator[Metric]:
        yield _counter(
            "alertd_presses",
            "Presses and sensor signals that were taken and committed, by what they meant. class none: it meant nothing"
            " by itself (too few for a gesture, known already). reason: what was done, as in the timeline.",
            ("site", "class", "reason"),
            self._measures.presses,
        )
        yield _gauge(
            "alertd_drills_running",
            "1 while a drill runs at the site: presses of its participants are an exercise, all others are real.",
            ("site",),
            {(site,): 1 for site in self._drills()},
        )
        yield _counter(
            "alertd_answers",
            "Answers of people that were counted (going, arrived, cannot_go), by the way they came. Nothing else"
            " acknowledges: no voicemail, no reaction, no auto-reply.",
            ("site", "kind", "via"),
            self._measures.answers,
        )
        yield _counter(
            "alertd_outcomes",
            "What became of attempts to tell somebody, as the provider said: accepted, sent, delivered, failed,"
            " unknown, queued (it is tried again). One message may pass through several.",
            ("channel", "state"),
            self._measures.outcomes,
        )
        yield _counter(
            "alertd_send_failures",
            "Attempts that did not get through (refused, no answer, given up), by channel and what alertd did then.",
            ("channel", "reason"),
            self._measures.failures,
        )

    def _going_on(self, standing: "Standing") -> Iterator[Metric]:
        yield _gauge(
            "alertd_incidents_open",
            "Incidents that are open now. mode live is real, drill is an exercise, test is a technician's.",
            ("site", "class", "mode"),
            Counter((i.site_id, i.incident_class.value, i.mode.value) for i in standing.incidents),
        )
        yield _gauge(
            "alertd_troubles",
            "Troubles that stand now: what is wrong with alertd or what it depends on (`alertd troubles` says it in"
            " words). rings true: it may hide a press. family: what kind, for example channel, carrier, disk, task.",
            ("site", "family", "rings"),
            Counter((t.site_id, t.key.partition(":")[0], str(t.rings).lower()) for t in standing.troubles),
        )

    def _waiting(self, outbox: Sequence[OutboxCount]) -> Iterator[Metric]:
        yield _gauge(
            "alertd_outbox_messages",
            "Messages that are not at their end, by state: queued (not yet sent), claimed (being sent), unknown (no"
            " answer; the provider is asked), accepted and sent (with the provider; those of the last day).",
            ("channel", "state"),
            {(line.channel, line.state): line.rows for line in outbox},
        )
        now_us = self._clock.now().wall_us
        yield _gauge(
            "alertd_outbox_oldest_seconds",
            "Age of the oldest message in that state. What is queued for long is held up: by a rate, a broken channel,"
            " or a step of an escalation that is yet to come.",
            ("channel", "state"),
            {(line.channel, line.state): max(0.0, (now_us - line.oldest_us) / 1_000_000) for line in outbox},
        )

    def _commits(self) -> Metric:
        timing = self._telemetry.commits
        buckets = [(str(bound), float(count)) for bound, count in timing.cumulative()]
        return HistogramMetricFamily(
            "alertd_commit_seconds",
            "Seconds from when a batch of events (a press is one) was taken from the line until it was decided and"
            " committed. No press is acknowledged, and nobody is told, before that.",
            buckets=[*buckets, ("+Inf", float(timing.count))],
            sum_value=timing.sum_s,
        )

    def _messages(self) -> Metric:
        counted = self._telemetry.snapshot()
        return _counter(
            "alertd_messages",
            "Messages that sources took, by result: heard (all but telemetry); refused (may have been a press, and"
            " nobody could read it, or presses there: a trouble); unknown (no rule says what it means) and unregistered"
            " (nor whose it is): neither presses nor troubles; telemetry, and telemetry_not_understood: of that, what"
            " makes no sense, at least in part.",
            ("source", "result"),
            {
                (source, result): series[name].count
                for source, series in counted.items()
                for name, result in (*_MESSAGES.items(), *zip(_TELEMETRY, _TELEMETRY, strict=True))
                if name in series and (_HEARD in series or name in _TELEMETRY)
            },
        )

    def _house(self) -> Iterator[Metric]:
        counted = self._telemetry.snapshot()
        yield _counter(
            "alertd_heartbeats",
            "Pings of the heartbeat URL: pinged, withheld (not proven alive), refused or unanswered by who watches it.",
            ("result",),
            {(name,): series.count for name, series in counted.get("heartbeat", {}).items()},
        )
        nightly = counted.get(NIGHTLY, {}).items()
        yield _gauge(
            "alertd_nightly_last_good_timestamp_seconds",
            "When a nightly job (backup, self-test) last reported success, since this daemon started; missing: never.",
            ("task",),  # not job: Prometheus calls what it scrapes so, and would rename ours
            {(n.removesuffix(_GOOD),): s.last_seen_us / 1_000_000 for n, s in nightly if n.endswith(_GOOD)},
        )
        yield _gauge("alertd_build_info", "Always 1; the version of alertd.", ("version",), {(self._version,): 1})


def _gauge(name: str, help_: str, labels: Iterable[str], values: Mapping[LabelsT, float]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=tuple(labels))
    for of, value in sorted(values.items()):
        family.add_metric(of, float(value))
    return family


def _counter(name: str, help_: str, labels: Iterable[str], values: Mapping[LabelsT, float]) -> Metric:
    family = CounterMetricFamily(name, help_, labels=tuple(labels))
    for of, value in sorted(values.items()):
        family.add_metric(of, float(value))
    return family
