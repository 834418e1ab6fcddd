"""The endurance run's judge: what was promised against what is in the database and what the world outside took.

Owns the comparison, as a function of evidence. Trusts three witnesses that do not know each other: the buttons (which
press got a PUBACK), alertd's database (which presses, in which incidents) and carrier and dispatch (what really
arrived). Must never ask alertd whether all is well.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from alertd_simulator.endurance_devices import Pressing
from alertd_simulator.endurance_evidence import Database, IncidentFact

SENT = frozenset({"accepted", "sent", "delivered"})
"""Standings in which alertd says that the carrier took a text."""
UNDER_WAY = frozenset({"queued", "claimed", "unknown"})


class Audience(Struct, frozen=True, kw_only=True):
    """Of one school: who is told of a lockdown at once, in which words."""

    name: str
    """How texts call it."""
    responders: tuple[str, ...]
    staff: tuple[str, ...]


class World(Struct, frozen=True, kw_only=True):
    """What everybody outside of alertd wrote down."""

    audiences: Mapping[str, Audience]
    """Site → who belongs to it."""
    texts: Mapping[tuple[str, str], int]
    """(phone, words) → how often the carrier took it."""
    calls: Mapping[str, int]
    """Incident → how many calls dispatch opened for it."""
    repeats: int
    """Messages that dispatch got again under an id it knew."""
    violations: Sequence[str]


class Findings(Struct, frozen=True, kw_only=True):
    """Empty is good, everywhere; `allowed_twice` and `repeats` are good as well."""

    lost: tuple[Pressing, ...]
    """Promised by a PUBACK, and in no incident."""
    miscounted: tuple[str, ...]
    """Devices of which the incidents hold more or fewer presses than they made."""
    untold: tuple[str, ...]
    """People of a first wave whom no text reached, and calls that dispatch never got."""
    told_twice: tuple[str, ...]
    """Sent more often than there are notifications, and no attempt with an unknown outcome explains it."""
    allowed_twice: tuple[str, ...]
    """The same, explained: killed between send and outcome, and sent again, because a duplicate beats a loss."""
    claimed: tuple[str, ...]
    """alertd says that it was sent; the carrier never took it."""
    under_way: tuple[str, ...]
    """Notifications that have no outcome after all has come to rest."""
    journal: tuple[str, ...]
    repeats: int
    violations: tuple[str, ...]

    @property
    def passed(self) -> bool:
        bad = (self.lost, self.miscounted, self.untold, self.told_twice, self.claimed)
        return not any((*bad, self.under_way, self.journal, self.violations))


def judge(made: Sequence[Pressing], database: Database, world: World) -> Findings:
    """`made`: every press of every button. A press without PUBACK promises nothing, and may have arrived."""
    allowed, wrong, claimed = _copies(database, world)
    return Findings(
        lost=tuple(p for p in made if p.puback_s is not None and not database.knows(p)),
        miscounted=tuple(_miscounted(made, database)),
        untold=tuple(_untold(database.incidents, world)),
        told_twice=(*wrong, *_two_calls(world)),
        allowed_twice=tuple(allowed),
        claimed=tuple(claimed),
        under_way=tuple(f"{row.id} to {row.phone}" for row in database.rows if row.state in UNDER_WAY),
        journal=tuple(database.journal_problems),
        repeats=world.repeats,
        violations=tuple(world.violations),
    )


def _miscounted(made: Sequence[Pressing], database: Database) -> list[str]:
    """The identity of a press is alertd's own idea; how many presses the incidents hold, anybody can count."""
    promised, at_most = Counter[str](), Counter[str]()
    for pressing in made:
        at_most[pressing.device] += pressing.sends > 0
        promised[pressing.device] += pressing.puback_s is not None
    found = []
    for device in sorted(at_most.keys() | database.counted.keys()):
        counted = database.counted.get(device, 0)
        if not promised[device] <= counted <= at_most[device]:
            found.append(f"{device}: {promised[device]} presses promised, {at_most[device]} made, {counted} counted")
    return found


def _untold(incidents: Sequence[IncidentFact], world: World) -> list[str]:
    """The first wave, by the words on the screen: a responder's text carries the incident's token; the staff's does
    not, so that there it is counted: as many as the school had lockdowns in that minute."""
    found = [f"dispatch of {i.site}: {i.id}" for i in incidents if not world.calls.get(i.id)]
    took: dict[str, list[tuple[str, int]]] = {}
    for (phone, words), times in world.texts.items():
        took.setdefault(phone, []).append((words, times))
    for (site, token), lockdowns in sorted(Counter((i.site, i.token) for i in incidents).items()):
        for phone in world.audiences[site].responders:
            calls = sum(times for words, times in took.get(phone, ()) if _calls_responder(words, token))
            if calls < lockdowns:
                found.append(f"responder {phone} of {site}: {calls} of {lockdowns} with token {token}")
    for (site, minute), lockdowns in sorted(Counter((i.site, i.minute) for i in incidents).items()):
        audience = world.audiences[site]
        for phone in audience.staff:
            orders = sum(times for words, times in took.get(phone, ()) if _orders_staff(words, audience.name, minute))
            if orders < lockdowns:
                found.append(f"staff {phone} of {site}: {orders} of {lockdowns} at {minute}")
    return found


def _calls_responder(words: str, token: str) -> bool:
    late = "heard only now" in words and f"Reply 4{token} going" in words
    return late or f"Reply 4{token} going, 5{token} arrived" in words


def _orders_staff(words: str, school: str, minute: str) -> bool:
    late = words.startswith(f"{school}: LOCKDOWN was pressed BETWEEN ") and f" AND {minute} " in words
    return late or words.startswith(f"{school}: LOCKDOWN {minute}, threat inside.")


def _copies(database: Database, world: World) -> tuple[list[str], list[str], list[str]]:
    """Texts against notifications with the same words to the same phone: too many, explained or not, and too few."""
    says, may_repeat = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in database.rows:
        what = (row.phone, row.text)
        says[what] += row.state in SENT
        may_repeat[what] += row.state not in SENT  # it may have left before it failed, expired or was withdrawn
        if row.resend_unknown:
            may_repeat[what] += max(0, row.attempts - 1)
    allowed, wrong, claimed = [], [], []
    for what in sorted(says.keys() | world.texts.keys()):
        surplus = world.texts.get(what, 0) - says[what]
        line = f"{what[0]}: {what[1][:60]!r}: {world.texts.get(what, 0)} texts for {says[what]} notifications"
        if surplus < 0:
            claimed.append(line)
        elif surplus > may_repeat[what]:
            wrong.append(line)
        elif surplus:
            allowed.append(line)
    return allowed, wrong, claimed


def _two_calls(world: World) -> list[str]:
    return [f"dispatch opened {calls} calls for {i}" for i, calls in sorted(world.calls.items()) if calls > 1]
