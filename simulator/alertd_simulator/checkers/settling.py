"""Liveness: once everything has healed, nothing is left undone: outbox, broker, timers, troubles, journal, daemon.

Owns how long each may take, and which troubles go away by themselves; the others are latched by design and wait for a
human.
"""

from alertd.model.ids import NotificationId
from alertd.model.notification import Lane
from alertd.model.notification import NotificationState as N
from alertd.model.trouble import Trouble
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.final import Final
from alertd_simulator.world.happenings import (
    Acked,
    Attempted,
    BrokerForgot,
    Committed,
    Crashed,
    Ended,
    Happening,
    Moved,
    Published,
)

SECOND_US = 1_000_000
UNDER_WAY_S = 90.0
"""A lease of 60 s, a look-up of 13 s, and a round of recovery."""
DUE_S = dict.fromkeys(Lane, 600.0) | {Lane.PANIC: 30.0, Lane.ANSWER: 60.0, Lane.STAFF: 30.0, Lane.NEXT: 60.0}
"""A row that is due waits no longer. What is no panic pays for the carrier's pace."""
FAR_S = 300.0
"""No try is put off further, except by a carrier that says so."""
OVERDUE_S = 30.0
SIGNED_WITHIN_US = 240 * SECOND_US
"""Whoever checks a signature refuses one that is five minutes off."""
ACK_S = 60.0
"""From the broker's taking a press to its acknowledgement, when nothing is broken."""

CLEARS_S: dict[str, float] = {
    "broker": 60.0,
    "broker_alive": 120.0,
    "broker_deaf": 120.0,
    "broker_unproven": 720.0,
    "broker_subscription": 60.0,
    "carrier": 330.0,
    "disk": 60.0,
    "task": 150.0,
    "clock:step": 720.0,
    "dispatch": 330.0,
}
"""Families of troubles whose cause heals, and how long after it they are cleared at the latest: by the next poll, beat,
round of the disk watch, or heartbeat to dispatch. Whatever a human has to look at stays (unregistered, unmapped,
malformed, sensor_malformed, retained, opted_out, audience, nobody, defect, device_clock, clock, broker_session until
the next restart, store:damaged)."""


class OutboxDrains(Checker):
    name = "outbox drains"
    docs = (
        "Liveness: at the end no notification is due and unclaimed, none is claimed or unknown for longer than a lease "
        "and a look-up, none is put off for ever."
    )
    sees = (Moved, Attempted, Ended)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._touched_us: dict[NotificationId, int] = {}

    def see(self, happening: Happening) -> None:
        match happening:
            case Moved(notification_id=id_) | Ended(notification_id=id_):
                self._touched_us[id_] = happening.at_us
            case Attempted(claim=claim):
                self._touched_us[claim.notification.id] = happening.at_us
            case _:
                pass

    def finish(self, final: Final, at_us: int) -> None:
        healed_us = self.scene.conditions.healed_us
        if healed_us is None:
            return
        for row in final.rows:
            content = row.notification
            idle_s = (at_us - max(healed_us, self._touched_us.get(content.id, 0))) / SECOND_US
            what = f"{content.kind} to {content.recipient} ({content.id}) is {row.state}"
            if row.state in (N.CLAIMED, N.UNKNOWN) and idle_s > UNDER_WAY_S:
                self.accuse(at_us, f"{what} for {idle_s:.0f} s")
            elif row.state is N.QUEUED:
                due_s = (final.boot_us - row.not_before_us) / SECOND_US
                if min(due_s, idle_s) > DUE_S[content.lane]:
                    self.accuse(at_us, f"{what}, due since {due_s:.0f} s, idle for {idle_s:.0f} s")
                elif -due_s > FAR_S:
                    self.accuse(at_us, f"{what}, and put off for {-due_s:.0f} s")


class BrokerDrains(Checker):
    name = "broker drains"
    docs = (
        "Promise 1, liveness: every message of a device that the broker took with QoS 1, and did not forget, is "
        "acknowledged in the end; nonsense, too: nothing blocks the line for ever."
    )
    sees = (Published, Acked, BrokerForgot)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._open: dict[int, Published] = {}

    def see(self, happening: Happening) -> None:
        match happening:
            case Published(qos=qos) if qos > 0:
                self._open[happening.number] = happening
            case Acked(number=number):
                self._open.pop(number, None)
            case BrokerForgot(numbers=numbers):
                for number in numbers:
                    self._open.pop(number, None)
            case _:
                pass

    def finish(self, final: Final, at_us: int) -> None:  # noqa: ARG002 - a checker's signature
        healed_us = self.scene.conditions.healed_us
        if healed_us is None:
            return
        for number, published in self._open.items():
            if at_us - max(published.at_us, healed_us) > ACK_S * SECOND_US:
                self.accuse(at_us, f"message {number} on {published.topic} was never acknowledged")


class TroublesClear(Checker):
    name = "troubles clear"
    docs = "Liveness (req 98): a trouble whose cause has healed is cleared; it does not cry wolf until a human looks."

    def finish(self, final: Final, at_us: int) -> None:
        conditions = self.scene.conditions
        if conditions.healed_us is None:
            return
        for trouble in final.troubles:
            bound_s = self._clears_within_s(trouble)
            quiet_us = max(conditions.healed_us, conditions.last_crash_us, conditions.last_step_us)
            healthy_s = (at_us - quiet_us) / SECOND_US
            if bound_s is not None and healthy_s > bound_s:
                self.accuse(
                    at_us, f"{trouble.key} at {trouble.site_id} still stands {healthy_s:.0f} s after: {trouble.summary}"
                )

    def _clears_within_s(self, trouble: Trouble) -> float | None:
        """`None`: it waits for a human."""
        family = trouble.key.partition(":")[0]
        if family == "dispatch" and self.scene.conditions.clock_off_us > SIGNED_WITHIN_US:
            return None  # what has not healed is the clock: no centre believes our signatures
        return CLEARS_S.get(trouble.key, CLEARS_S.get(family))


class NothingOverdue(Checker):
    name = "nothing overdue"
    docs = "Liveness: at the end no timer is overdue, so nobody is forgotten."

    def finish(self, final: Final, at_us: int) -> None:
        for waiting in final.timers:
            late_s = (final.boot_us - waiting.due_boot_us) / SECOND_US
            if late_s > OVERDUE_S:
                timer = waiting.timer
                self.accuse(at_us, f"{timer.kind} of {timer.incident_id or timer.detail} is {late_s:.0f} s overdue")


class JournalVerifies(Checker):
    name = "journal verifies"
    docs = "Req 100: at the end every site's hash chain verifies, whatever was cut, filled up or merged back."

    def finish(self, final: Final, at_us: int) -> None:
        if final.journal_broken:
            self.accuse(at_us, f"the journal is broken: {final.journal_broken}")


class DaemonIsUp(Checker):
    name = "daemon is up"
    docs = "Liveness: once faults have healed the daemon runs, and does not die by itself; no event is a crash loop."
    sees = (Crashed, Committed)

    def see(self, happening: Happening) -> None:
        if isinstance(happening, Crashed) and self.scene.conditions.healed_us is not None:
            self.accuse(happening.at_us, f"the daemon died after everything had healed: {happening.where}")

    def finish(self, final: Final, at_us: int) -> None:
        if not final.up or not self.scene.conditions.up:
            self.accuse(at_us, "the daemon is not running at the end")
