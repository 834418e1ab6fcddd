"""The words for what is known: states, reasons and kinds as a principal reads them. Pure tables, each one complete.

Promise 5 lives here: no word may claim more than was known. "Delivered" is never "read", "received" never "accepted".
"""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from alertd.model.incident import AnswerKind, DispatchState, EscalationState, IncidentClass, IncidentState
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Notification, NotificationState
from alertd.model.reason import Reason
from alertd.model.site import Gestures

MODE: dict[Mode, str] = {
    Mode.LIVE: "LIVE: this is real",
    Mode.DRILL: "DRILL: an exercise; dispatch is never told",
    Mode.TEST: "TEST: a technical test",
}

INCIDENT_CLASS: dict[IncidentClass, str] = {
    IncidentClass.LOCKDOWN: "Lockdown",
    IncidentClass.FIRE: "Fire",
    IncidentClass.POLICE_DURESS: "Police duress",
    IncidentClass.DURESS: "Duress",
    IncidentClass.MEDICAL: "Medical",
    IncidentClass.STAFF_ASSIST: "Staff assist",
    IncidentClass.HOLD: "Hold",
    IncidentClass.GUNSHOT_SENSOR: "Gunshot sensor",
    IncidentClass.KEYWORD_SENSOR: "Help word heard by a sensor",
    IncidentClass.TAMPER: "Tamper",
    IncidentClass.MASKING: "Sensor covered",
    IncidentClass.VAPE: "Vape sensor",
    IncidentClass.NOISE: "Noise sensor",
    IncidentClass.ENVIRONMENTAL: "Environmental sensor",
}

INCIDENT_STATE: dict[IncidentState, str] = {
    IncidentState.CANCEL_WINDOW: "open, the presser may still take it back",
    IncidentState.ACTIVE: "open",
    IncidentState.RELEASING: "releasing: rooms are opened one by one, in person; not closed",
    IncidentState.CLOSED: "closed",
}

ESCALATION: dict[EscalationState, str] = {
    EscalationState.RUNNING: "nobody has answered enough yet; the next people are called in turn",
    EscalationState.PAUSED: "answered; the next people are not called while that holds",
    EscalationState.EXHAUSTED: "everybody was tried and nobody has answered; still trying, wider each time",
    EscalationState.STOPPED: "nobody is being looked for any more",
}

ANSWER: dict[AnswerKind, str] = {
    AnswerKind.GOING: "is going",
    AnswerKind.ARRIVED: "has arrived",
    AnswerKind.CANNOT_GO: "cannot go",
}

KIND: dict[Kind, str] = {
    Kind.ALERT: "alert",
    Kind.ALSO: "another press (ALSO)",
    Kind.REMINDER: "reminder: nobody has answered",
    Kind.NOT_ARRIVED: "reminder: nobody has arrived",
    Kind.EXHAUSTED: "everybody was tried, nobody answered",
    Kind.UPDATE: "update",
    Kind.CORRECTION: "correction",
    Kind.CLOSING: "closing",
    Kind.ANSWER: "answer to a reply",
    Kind.TROUBLE: "trouble",
    Kind.TEST: "test",
    Kind.DISPATCH_NEW: "new incident to dispatch",
    Kind.DISPATCH_UPDATE: "update to dispatch",
    Kind.DISPATCH_CANCEL_REQUEST: "cancel request to dispatch",
    Kind.DISPATCH_CLOSED: "closing to dispatch",
    Kind.DISPATCH_HEARTBEAT: "sign of life to dispatch",
    Kind.PAGE: "loudspeakers",
    Kind.DRILL_BEGINS: "a drill begins",
    Kind.DRILL_GOES_ON: "alertd restarted, the drill goes on",
    Kind.DRILL_OVER: "the drill is over",
    Kind.DRILL_STOPPED: "drill stopped, this is real",
}

KNOWN: dict[NotificationState, str] = {
    NotificationState.QUEUED: "written down, waiting to be sent",
    NotificationState.CLAIMED: "being sent now",
    NotificationState.UNKNOWN: "handed over, but the answer was lost",
    NotificationState.ACCEPTED: "the provider took it",
    NotificationState.SENT: "the provider handed it to the phone's carrier",
    NotificationState.DELIVERED: "it reached the phone or the server",
    NotificationState.FAILED: "it did not get there",
    NotificationState.EXPIRED: "it was not sent in time and would be worthless now",
    NotificationState.SUPPRESSED: "it was never sent, on purpose",
    NotificationState.WITHDRAWN: "it was taken back before it got through",
}

NOT_KNOWN: dict[NotificationState, str] = {
    NotificationState.QUEUED: "whether it will get through",
    NotificationState.CLAIMED: "whether it gets through",
    NotificationState.UNKNOWN: "whether it was sent at all",
    NotificationState.ACCEPTED: "whether it has reached anything",
    NotificationState.SENT: "whether it has arrived",
    NotificationState.DELIVERED: "whether a human has read it",
}
"""States that are absent are certain: nothing more will become known."""

_PAGE_KNOWN = {NotificationState.SENT: "its first packet has left for the loudspeakers"}
_PAGE_NOT_KNOWN = {NotificationState.SENT: "whether a loudspeaker was on, and anybody there to hear it"}
_QUIET_KNOWN = {NotificationState.SENT: "nothing is sent to the loudspeakers any more"}
_QUIET_NOT_KNOWN = {NotificationState.SENT: "whether another system speaks over them"}


def known_of(n: Notification, state: NotificationState) -> str:
    """What is known of the message."""
    quiet = n.kind is Kind.PAGE and n.reason is Reason.SILENCED
    told = _QUIET_KNOWN if quiet else _PAGE_KNOWN if n.kind is Kind.PAGE else {}
    return told.get(state) or say(KNOWN, state)


def not_known_of(n: Notification, state: NotificationState) -> str | None:
    """What is not; `None`: nothing more will become known."""
    quiet = n.kind is Kind.PAGE and n.reason is Reason.SILENCED
    open_ = _QUIET_NOT_KNOWN if quiet else _PAGE_NOT_KNOWN if n.kind is Kind.PAGE else {}
    return open_.get(state) or NOT_KNOWN.get(state)


DISPATCH: dict[DispatchState, str] = {
    DispatchState.WAITING: "a message is on its way, no sign from it yet",
    DispatchState.RECEIVED: "its server has the message; nobody there has accepted it",
    DispatchState.ACCEPTED: "ACCEPTED by the centre",
    DispatchState.REJECTED: "REJECTED by the centre: call 911",
    DispatchState.NOT_TOLD: "NOT TOLD: no acceptance in time: call 911",
    DispatchState.DISPATCHED: "units are sent, says the centre",
    DispatchState.ON_SCENE: "units are on scene, says the centre",
    DispatchState.CLOSED: "closed, says the centre",
}

WHY: dict[Reason, str] = {
    Reason.FIRST_WAVE: "told at once, with the first wave",
    Reason.NEXT_STEP: "the people before did not answer in time",
    Reason.NEWS: "a press from a place not yet told is news for everyone told so far",
    Reason.UPGRADED: "it became more serious",
    Reason.REMINDED: "nobody has answered yet",
    Reason.CANNOT_GO: "somebody cannot go, so the next is called at once",
    Reason.NOT_ARRIVED: "somebody said going, but nobody has arrived in time",
    Reason.EXHAUSTED_SITE: "nobody answered, so everyone at the site is told",
    Reason.EXHAUSTED_DISTRICT: "nobody at the site answered, so the district is told",
    Reason.EMPTY_AUDIENCE: "the policy's audience was empty, so the site's staff is told instead",
    Reason.OTHER_CHANNEL: "the first way to this person failed",
    Reason.ANSWERED: "a person answered",
    Reason.DISPATCH_CHANGED: "the dispatch centre said something new",
    Reason.NOTE_TAKEN: "somebody's words are passed on, unverified",
    Reason.CORRECTED: "a named person said it was a mistake",
    Reason.CLOSED: "the incident was closed by a named person",
    Reason.LATE_CONFIRMED: "a human confirmed a late press",
    Reason.LATE_TIMED_OUT: "nobody confirmed or denied a late press in time, so it counts",
    Reason.CONFIRMED: "a human confirmed it",
    Reason.CONFIRM_TIMED_OUT: "nobody confirmed or denied it in time, so it counts",
    Reason.TROUBLE: "something alertd depends on is wrong",
    Reason.TROUBLE_REPEATED: "the trouble still stands and nobody has acknowledged it",
    Reason.TROUBLE_CLEARED: "the trouble is over",
    Reason.TESTED: "a test was ordered",
    Reason.HEARTBEAT: "regular sign of life",
    Reason.DRILL_BEGUN: "a drill begins",
    Reason.DRILL_GOES_ON: "alertd was restarted while a drill ran",
    Reason.DRILL_ENDED: "a named person ended the drill",
    Reason.DRILL_EXPIRED: "the time of the drill was over",
    Reason.DRILL_RESTARTED: "alertd restarted so often that the drill was ended",
    Reason.DRILL_IS_REAL: "a real press ended the drill",
    Reason.DRILL_REFUSED: "a drill like this must not begin",
    Reason.DRILL_OVER: "the drill is over, so it is not said any more",
    Reason.NOT_IN_DRILL: "they do not take part in the drill",
    Reason.FALLBACK: "the press could not be worked out, so the site is told by the fixed fallback",
    Reason.DUPLICATE: "the same press came twice and was counted once",
    Reason.MERGED_REPEAT: "pressed again; everyone already knows of this place",
    Reason.BELOW_GESTURE: "fewer presses than this device needs; counted, and the next one counts on",
    Reason.HEARD_ELSEWHERE: "another school of this badge heard it; it counts here in doubt, if more are heard here",
    Reason.UNMAPPED_ACTION: "this device's gesture means nothing in the configuration",
    Reason.STILL_ON: "the device says again what it has said before; that is no new press",
    Reason.STATE_ENDED: "the device itself no longer calls; that closes nothing",
    Reason.TRIED_OUT: "the device is being tried out: a test, which pages nobody",
    Reason.TRYING_OUT: "somebody tries a device out",
    Reason.TRIED_ENOUGH: "the device is live again",
    Reason.TRIAL_REFUSED: "the device could not be tried out",
    Reason.RETAINED: "an old message kept by the broker never pages by itself",
    Reason.UNREGISTERED: "the device is not registered, so it pages no school; it is a trouble",
    Reason.SHUT_TRIGGER: "it was pressed where only such speak as never press, so it pages no school; it is a trouble",
    Reason.FOREIGN_SITE: "the device may not press at the site that heard it; it is a trouble",
    Reason.BACKLOG_NO_UPGRADE: "presses that waited, without times, cannot be counted up to something more serious",
    Reason.COOLING_DOWN: "the sensor said the same a while ago; counted, and nobody is told again",
    Reason.STORM: "so many alarms within an hour need tuning, not texts: one digest was sent",
    Reason.STORM_DIGEST: "one text for a storm of alarms; no more until it is calm",
    Reason.SENSOR_NEVER_PANIC: "a sensor is no human: whatever it says, it never sounds a panic",
    Reason.SENSOR_CLEARED: "the sensor says that it is over; a human closes the incident",
    Reason.STALE_NUISANCE: "the report was old when it was heard, and nobody goes for yesterday's vape",
    Reason.CORROBORATED: "a second sensor, or a human's press, bears it out",
    Reason.NEVER_WIDE: "what a sensor says is told to those on duty: never to everybody, loudspeakers or dispatch",
    Reason.ERASED: "personal detail of sensor incidents is kept for a short time only",
    Reason.LATE_HOLD: "the press is late, so dispatch waits for a human or the site's time limit",
    Reason.CONFIRM_HOLD: "the site's rules want a human to confirm before dispatch is told",
    Reason.CANCEL_WINDOW: "staff assist may be taken back for a few seconds",
    Reason.BATCHED: "updates to dispatch are gathered for a few seconds",
    Reason.NO_ENDPOINT: "the configuration has no way to reach this person",
    Reason.OPTED_OUT: "this phone told the carrier to stop; only its owner can undo that (text START)",
    Reason.CHANNEL_BROKEN: "nobody can be reached over this channel now",
    Reason.PRESSER: "the presser's own phone is left silent",
    Reason.TEXTED: "a text brings it; the phone does not ring for it as well",
    Reason.NOT_BY_CALL: "it is not worth a ringing phone",
    Reason.SPOKEN: "it was said in the call itself",
    Reason.UNANSWERED: "the phone rang, or was busy, and nobody took the call",
    Reason.GAVE_WAY: "its phone was needed for something real",
    Reason.SOMEBODY_GOES: "somebody goes, so nobody is called again",
    Reason.ANSWERED_OTHERWISE: "whose phone it is has answered, by another way",
    Reason.REDIALLED: "nobody took the call before",
    Reason.NOT_TRIED: "nobody was asked yet: a call of ours has that phone, or time was short; it is tried again",
    Reason.RETRYING: "a passing failure, so it is tried again",
    Reason.ASKED_PROVIDER: "the answer was lost, so the provider is asked what became of it",
    Reason.RESENT_UNKNOWN: "nobody could tell whether it was sent: a duplicate beats a loss",
    Reason.UNKNOWN_NOT_RESENT: "nobody could tell whether it was sent, and it is not worth a duplicate",
    Reason.FAILED_PERMANENTLY: "the provider says that trying again would fail again",
    Reason.ATTEMPTS_EXHAUSTED: "it failed as often as may be tried",
    Reason.EXPIRED: "it is too late for this message to be of use",
    Reason.INCIDENT_CLOSED: "the incident was over before it was sent",
    Reason.MODE_FORBIDS: "a drill or test never goes there",
    Reason.EMERGENCY_NUMBER: "alertd never dials an emergency number",
    Reason.SUPERSEDED: "a newer message says more",
    Reason.ANNOUNCED_AGAIN: "said again, so that everybody has heard it",
    Reason.SAID: "somebody at the console wanted it said",
    Reason.NOT_AUDIBLE: "this site's rules want no sound: its loudspeakers stay silent",
    Reason.NOT_ANNOUNCED: "loudspeakers do not speak of this class of incident at this site",
    Reason.OUTRANKED: "something graver is going on, and only that is spoken of",
    Reason.ANNOUNCED_ALREADY: "the loudspeakers have said what there is to say, and leave the quiet to police",
    Reason.SILENCED: "somebody at the console wanted the loudspeakers quiet",
    Reason.ACKNOWLEDGED: "a human answered",
    Reason.NOT_A_CODE: "not a reply code, so not an answer; the words went to the team",
    Reason.AMBIGUOUS: "more than one incident is open on this phone, so a bare digit counts for none",
    Reason.STALE_CODE: "the incident of this code is closed",
    Reason.FOREIGN_TOKEN: "this phone was never told of an incident with this code",
    Reason.FOREIGN_PERSON: "this person is not of the site and was not told of it, so the answer does not count",
    Reason.AUTOMATIC_REPLY: "a machine's or a reaction's text, not a human's answer",
    Reason.ACK_LAPSED: "nobody arrived, so the answer no longer holds",
    Reason.STALE_TIMER: "overtaken by what happened meanwhile",
    Reason.STALE_OUTCOME: "a report about an attempt that was already replaced",
    Reason.OPENED: "a press began it",
    Reason.RELEASING: "rooms are released one by one, in person",
    Reason.RELEASED: "a named person released this room, in person",
    Reason.OPTED_IN: "the phone texted START",
    Reason.CLOCK_STEPPED: "the server's clock jumped; deadlines run on another clock and are not touched",
    Reason.EMPTY_STEP: "this step reached nobody, so the next began at once",
    Reason.NOTHING_NEW: "it said what was known already",
    Reason.POISON: "alertd could not work this out; it is kept, and people were told by the fallback",
}


Word = TypeVar("Word", bound=Enum)


def say(table: Mapping[Word, str], word: Word) -> str:
    """The words, or the bare name: a state that is newer than its table must not take the timeline down."""
    return table.get(word, str(word.value).replace("_", " "))


def why(reason: Reason | None) -> str:
    return say(WHY, reason) if reason is not None else ""


def unknown_word(action: str, rules: Gestures) -> str:
    """What a device says and its gestures do not know, and what to do about it."""
    return (
        f'it says "{action}", which its gestures "{rules.id}" do not know: if that is a call for help, write '
        f'{action} = the class that it calls for, if not {action} = "ignore", in actions of [{rules.id}] in '
        "gestures.toml, then alertd reload"
    )
