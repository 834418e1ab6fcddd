"""`Judge`: shows the stream of happenings to every checker, and collects what they say.

Owns the order: conditions first, then the checkers, then the records, so that a checker sees what was before and what
happens. Must never change, delay or drop a happening.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from alertd.model.incident import Incident
from alertd.model.notification import NotificationRow
from alertd.model.registry import Registry
from alertd_simulator.checkers.answering import Acknowledgements, OneReplyOneAnswer
from alertd_simulator.checkers.believing import Believing
from alertd_simulator.checkers.calling import (
    CarrierUndoesNothing,
    NoNeedlessCalls,
    PhonesFallSilent,
    RespondersAreCalled,
)
from alertd_simulator.checkers.calls_in_turn import FirstCallsFirst, FreshWords, OneCallAPhone, TriedBeforeGivingUp
from alertd_simulator.checkers.checker import Checker, Consequence, Scene, is_plain
from alertd_simulator.checkers.conditions import Conditions
from alertd_simulator.checkers.contents import OnceOnly, OneContent
from alertd_simulator.checkers.cutting import LaterCutsEarlier
from alertd_simulator.checkers.device_tests import OnlyTried
from alertd_simulator.checkers.drills import DrillEnds, DrillMarks, OnlyDrilled, RealAfterDrill
from alertd_simulator.checkers.endings import OnlyHumansEnd
from alertd_simulator.checkers.final import Final
from alertd_simulator.checkers.knocking import OneKnocks
from alertd_simulator.checkers.knowledge import Deliveries, DispatchWord, HonestFeedback
from alertd_simulator.checkers.lasting import LastingStates
from alertd_simulator.checkers.loudspeakers import Announcements, FreshVoice, LoudspeakerWords, Quiet
from alertd_simulator.checkers.news import FurtherRoom, LateWaits
from alertd_simulator.checkers.numbers import EmergencyNumbers, Modes
from alertd_simulator.checkers.presses import AcknowledgedPresses, ArrivedPresses, WithheldAcknowledgements
from alertd_simulator.checkers.promptness import FirstText, NeverSilent
from alertd_simulator.checkers.radius import Audience, OneSite
from alertd_simulator.checkers.reaching import EverybodyWasAsked, WholeStep
from alertd_simulator.checkers.reasons import Reasons
from alertd_simulator.checkers.records import Records
from alertd_simulator.checkers.sending import AfterTheEnd, Expiry, LifeCycle, OneClaimOneTry
from alertd_simulator.checkers.sensors import LoneSensor, OwnSender, SensorsAreHeard, SensorsStayQuiet
from alertd_simulator.checkers.settling import (
    BrokerDrains,
    DaemonIsUp,
    JournalVerifies,
    NothingOverdue,
    OutboxDrains,
    TroublesClear,
)
from alertd_simulator.checkers.speaking import OwnVoice
from alertd_simulator.checkers.supervising import Supervision
from alertd_simulator.checkers.survival import Survival
from alertd_simulator.checkers.timing import PunctualTimers, StepsInTime
from alertd_simulator.checkers.unmeasured import Unmeasured
from alertd_simulator.world.happenings import Committed, Happening
from alertd_simulator.world.plan import Plan
from alertd_simulator.world.verdict import Violation

SAFETY: tuple[type[Checker], ...] = (
    AcknowledgedPresses,
    WithheldAcknowledgements,
    ArrivedPresses,
    Survival,
    OneSite,
    Audience,
    EmergencyNumbers,
    Modes,
    OneContent,
    OnceOnly,
    AfterTheEnd,
    Expiry,
    OneClaimOneTry,
    OneKnocks,
    LifeCycle,
    OnlyHumansEnd,
    Acknowledgements,
    OneReplyOneAnswer,
    FirstText,
    NeverSilent,
    WholeStep,
    RespondersAreCalled,
    NoNeedlessCalls,
    PhonesFallSilent,
    FirstCallsFirst,
    OneCallAPhone,
    TriedBeforeGivingUp,
    FreshWords,
    CarrierUndoesNothing,
    FurtherRoom,
    LateWaits,
    Announcements,
    LoudspeakerWords,
    Quiet,
    FreshVoice,
    LaterCutsEarlier,
    PunctualTimers,
    StepsInTime,
    Reasons,
    Deliveries,
    DispatchWord,
    HonestFeedback,
    OnlyDrilled,
    DrillMarks,
    RealAfterDrill,
    DrillEnds,
    Believing,
    Unmeasured,
    SensorsAreHeard,
    SensorsStayQuiet,
    LoneSensor,
    OwnSender,
    Supervision,
    LastingStates,
    OnlyTried,
    OwnVoice,
)
LIVENESS: tuple[type[Checker], ...] = (
    EverybodyWasAsked,
    OutboxDrains,
    BrokerDrains,
    TroublesClear,
    NothingOverdue,
    JournalVerifies,
    DaemonIsUp,
)
ALL = (*SAFETY, *LIVENESS)


class Judge:
    """One day's. `see` everything in order, `reread` after each start, `finish` once."""

    def __init__(self, school: Registry, plan: Plan, checkers: Sequence[type[Checker]] = ALL) -> None:
        self._records = Records()
        self._conditions = Conditions(plan)
        self._scene = Scene(registry=school, plan=plan, records=self._records, conditions=self._conditions)
        self.checkers = tuple(checker(self._scene) for checker in checkers)
        self._shown: dict[type[Struct | Consequence], tuple[Callable[[Any], None], ...]] = {}
        """Who is shown a happening of each kind, in order."""
        self._at_us = 0

    @property
    def violations(self) -> tuple[Violation, ...]:
        """So far, in order of time."""
        found = [violation for checker in self.checkers for violation in checker.violations]
        return tuple(sorted(found, key=lambda violation: violation.at_us))

    def see(self, happening: Happening) -> None:
        self._at_us = happening.at_us
        kind: type[Struct | Consequence] = type(happening)
        if kind is Committed and not is_plain(happening):
            kind = Consequence
        shown = self._shown.get(kind)
        if shown is None:
            kinds = {kind, Committed} if kind is Consequence else {kind}
            watching: tuple[Checker | Conditions | Records, ...] = (self._conditions, *self.checkers, self._records)
            shown = self._shown[kind] = tuple(each.see for each in watching if kinds.intersection(each.sees))
        for see in shown:
            see(happening)

    def use(self, school: Registry) -> None:
        """The configuration was exchanged."""
        self._scene.newcomers |= school.people.keys() - self._scene.registry.people.keys()
        self._scene.registry = school

    def reread(self, incidents: Iterable[Incident], rows: Iterable[NotificationRow]) -> None:
        """What the disk really holds, at a start: compared with what was promised, and taken as the truth from now."""
        found, kept = tuple(incidents), tuple(rows)
        for checker in self.checkers:
            checker.reread(found, kept, self._at_us)
        self._records.reread(found, kept, self._at_us)

    def finish(self, final: Final) -> tuple[Violation, ...]:
        """Every violation of the day."""
        for checker in self.checkers:
            checker.finish(final, self._at_us)
        return self.violations
