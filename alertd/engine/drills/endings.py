"""How a drill ends: by order, by its time, by something real; and that it survives restarts until then (rules 3, 5).

Owns the drill's own row from its beginning on, and closes its incidents with it.
"""

from msgspec.structs import replace

from alertd.engine import dispatch_centers, paging, wording
from alertd.engine.draft import BELIEVED_US, Draft
from alertd.engine.drills import news
from alertd.engine.drills.notices import tell_told, told_of
from alertd.engine.lifecycle import Move
from alertd.model.anchor import anchor, is_of, step_us
from alertd.model.decision import EntryKind
from alertd.model.drill import Drill, DrillState
from alertd.model.events import DrillEndOrdered, DrillFound
from alertd.model.incident import EscalationState, Incident
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.reason import Reason
from alertd.model.timer import Timer, TimerKind

RESTARTS_MAX = 3
"""A drill during which alertd is started more often than this is over: whoever takes part has other worries."""


def on_end(d: Draft, event: DrillEndOrdered) -> None:
    """A named human ends it."""
    if d.facts.seen_us is not None:
        d.entry(EntryKind.DRILL, Reason.DUPLICATE, "this was ordered before")
        return
    d.cause = event.cause
    if d.drill is None:
        d.entry(EntryKind.DRILL, Reason.STALE_CODE, f"{event.by} ends a drill, and none runs")
        return
    _end(d, d.drill, by=event.by, because=Reason.DRILL_ENDED, words=f"ended by {event.by}")


def on_timer(d: Draft, timer: Timer) -> None:
    """Its time is over."""
    if timer.number:
        news.look_after(d, timer.detail)
        return
    drill = d.drill
    if drill is None or drill.id != timer.detail:
        d.entry(EntryKind.DRILL, Reason.STALE_TIMER, "that drill is over")
        return
    _end(d, drill, by="", because=Reason.DRILL_EXPIRED, words="its time is over")


def on_found(d: Draft, event: DrillFound) -> None:
    """A start of alertd while it ran: nobody who takes part may be left to wonder."""
    if d.facts.seen_us is not None:
        return
    d.cause = event.cause
    drill = d.drill
    if drill is None or drill.id != event.drill_id:  # something real was quicker than this news
        _started(d, event, Reason.STALE_TIMER, "alertd restarted; that drill is over")
        return
    drill = d.put_drill(replace(drill, restarts=drill.restarts + 1))
    what, late = news.what(drill), d.now.wall_us >= drill.ends_us
    if (
        late or drill.restarts > RESTARTS_MAX
    ):  # late: where its timer was not quicker, no minute that has passed is told
        _started(d, event, Reason.DRILL_RESTARTED, f"alertd restarted during the {what}")
        because = Reason.DRILL_EXPIRED if late else Reason.DRILL_RESTARTED
        _end(d, drill, by="", because=because, words="its time is over" if late else "alertd restarted too often")
        return
    text = f"alertd restarted during the {what}: it goes on until {wording.local_time(d.site, drill.ends_us)}"
    _started(d, event, Reason.DRILL_GOES_ON, text)
    tell_told(d, drill, Kind.DRILL_GOES_ON)


def _started(d: Draft, event: DrillFound, reason: Reason, text: str) -> None:
    """When alertd was started: from the last entry before that moment the report knows how long nobody was there."""
    d.entry(EntryKind.DRILL, reason, text, drill=event.drill_id, started_us=str(event.started_us))


def align(d: Draft) -> None:
    """Its window moves with the clock, and the time in which it may be believed; timers run on boot time."""
    last = d.drill or d.state.drill_over
    if last is None or is_of(last.anchor, d.now):
        return
    by_us, clock = step_us(last.anchor, last.ended_us or last.started_us, d.now), anchor(d.now)
    if last.is_running:
        d.put_drill(replace(last, started_us=last.started_us + by_us, ends_us=last.ends_us + by_us, anchor=clock))
    for over in last.line():
        if over.ended_us is not None and abs(d.now.wall_us - by_us - over.ended_us) <= BELIEVED_US:
            d.put_drill_over(replace(over, ended_us=over.ended_us + by_us, anchor=clock))


def keep_told(d: Draft) -> None:
    """An incident of the drill that this decision has closed is out of sight for the next: whoever heard of the drill
    only there is of those told of it from now on."""
    drill = d.drill
    if drill is None:
        return
    told = told_of(d, drill)
    if len(told) > len(drill.told) and any(not d.is_open(id_) for id_ in drill.incident_ids):
        d.put_drill(replace(drill, told=told))


def close_left_over(d: Draft, incident: Incident) -> bool:
    """An incident of a drill that is over looks for nobody: belt and braces, each ending closes them."""
    if incident.mode is not Mode.DRILL or d.drill is not None:
        return False
    _close(d, incident, "the end of the drill")
    return True


def _end(d: Draft, drill: Drill, *, by: str, because: Reason, words: str) -> None:
    said = any(i.mode is Mode.DRILL and paging.may_be_said(d, i) for i in d.open_incidents())
    drill = finish(d, drill, by=by, because=because, words=words)
    _count_anew(d, drill)
    if said:
        paging.hush(d, drill.id, because, but=frozenset())
    tell_told(d, drill, Kind.DRILL_OVER, why=words)
    if drill.told:
        d.timer(TimerKind.DRILL_END, news.UNTOLD_S, number=1, detail=drill.id)


def _count_anew(d: Draft, drill: Drill) -> None:
    """A finger that is late for the end locks down no school: what was counted for the drill counts for nothing else.
    What has called for nothing yet may be a cry, and goes on."""
    for press in drill.presses:
        memory = d.memory(press.device_id)
        d.remember(replace(memory, presses=tuple(each for each in memory.presses if not each.drilled)))


def finish(d: Draft, drill: Drill, *, by: str, because: Reason, words: str) -> Drill:
    """It is over: what it has not said is withdrawn, and its incidents are closed."""
    ended = d.put_drill(
        replace(
            drill,
            state=DrillState.ENDED,
            told=told_of(d, drill),
            ended_us=d.now.wall_us,
            ended_by=by,
            ended_because=because,
        )
    )
    d.entry(EntryKind.DRILL, because, f"{news.what(drill)}: {words}", drill=drill.id)
    if because is Reason.DRILL_IS_REAL:
        d.withdraw_drill(because)
        news.say_no_more(d, d.drills_over[1:])
    else:
        d.withdraw_drill(because, but=Kind.DRILL_OVER)  # of the one before, if not all have heard that it is over
    for incident in tuple(d.state.incidents.values()):
        current = d.incident(incident.id)
        if current is not None and current.is_open and current.mode is Mode.DRILL:
            _close(d, current, by or "the end of the drill")
    return ended


def _close(d: Draft, incident: Incident, by: str) -> None:
    """Nobody hid in earnest: rooms are not released one by one, and no text of its own says that it is over."""
    if incident.escalation is not EscalationState.STOPPED:
        incident = d.escalate(incident, Move.STOP)
    incident = d.live(incident, Move.CLOSE)
    incident = d.put(replace(incident, closed_us=d.now.wall_us, closed_by=by))
    d.entry(EntryKind.INCIDENT, Reason.DRILL_OVER, f"closed with the drill: {by}", incident=incident)
    dispatch_centers.tell_all(d, incident, Kind.DISPATCH_CLOSED, Reason.DRILL_OVER)  # whoever took the exercise
