"""What must never be dialled, and what must never reach dispatch. The last look, at the carrier's own door.

Owns an own way of reading numbers: alertd's block is on trial here, so none of it is used.
"""

import re
import unicodedata
from functools import lru_cache

from alertd.model.ids import NotificationId
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Notification
from alertd_simulator.checkers.checker import Checker, Consequence
from alertd_simulator.world.happenings import Attempted, Committed, DispatchTook, Happening, TextTaken

EMERGENCY = ("911", "112", "933", "988", "999", "000")
SHORT_MAX = 9
"""Digits of the longest way to dial one of them behind prefixes; whoever has more digits is a subscriber."""
_LOOKALIKES = str.maketrans({"o": "0", "O": "0", "l": "1", "I": "1", "i": "1"})
_PAUSES = re.compile(r"[,;wpx#*/:=?&]+|ext\.?|postd", re.IGNORECASE)


@lru_cache(maxsize=4096)
def dials_emergency(address: str) -> bool:
    """Would any phone system on the way reach an emergency number?"""
    text = unicodedata.normalize("NFKC", address).partition("@")[0].translate(_LOOKALIKES)
    return any(_is_emergency(part) for part in _PAUSES.split(text))


def _is_emergency(part: str) -> bool:
    digits = "".join(str(unicodedata.digit(char)) for char in part if char.isdigit())
    if len(digits) > SHORT_MAX:
        return False
    return digits.startswith(EMERGENCY) or any(
        digits.endswith(number) and set(digits[: -len(number)]) <= set("01479") for number in EMERGENCY
    )


class EmergencyNumbers(Checker):
    name = "emergency number"
    docs = "Req 62: no emergency number is ever dialled or texted, however it is spelled."
    sees = (Attempted, TextTaken)

    def see(self, happening: Happening) -> None:
        match happening:
            case TextTaken(to=to) if dials_emergency(to):
                self.accuse(happening.at_us, f"the carrier was given {to!r}")
            case Attempted(claim=claim) if _may_be_dialled(claim.notification):
                address = claim.notification.endpoint.address
                if dials_emergency(address):
                    self.accuse(happening.at_us, f"channel {happening.channel} was given {address!r}")
            case _:
                pass


def _may_be_dialled(notification: Notification) -> bool:
    """A zone of loudspeakers has a name, and nobody to dial it."""
    return not notification.endpoint.dispatch and notification.kind is not Kind.PAGE


class Modes(Checker):
    name = "mode"
    docs = (
        "Promise 3: a drill never reaches dispatch; a message has the mode of its incident, from the row to the "
        "receipt; in mode test, dispatch hears heartbeats and tests only."
    )
    sees = (Consequence, Attempted, DispatchTook)

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._committed(happening)
            case Attempted(claim=claim):
                notification = claim.notification
                drill = notification.mode is Mode.DRILL and not notification.endpoint.accepts_exercise
                if notification.endpoint.dispatch and drill:
                    self.accuse(happening.at_us, f"a drill is sent to dispatch ({notification.id})")
            case DispatchTook():
                self._took(happening)
            case _:
                pass

    def _committed(self, committed: Committed) -> None:
        decided = {incident.id: incident for incident in committed.decision.incidents}
        for row in committed.decision.notifications:
            content = row.notification
            if content.incident_id is None:
                tests = content.kind in (Kind.TEST, Kind.DISPATCH_HEARTBEAT)
                if (content.mode is Mode.TEST) is not tests:
                    self.accuse(committed.at_us, f"{content.kind} {content.id} has mode {content.mode}")
                continue
            incident = decided.get(content.incident_id) or self.scene.records.incidents.get(content.incident_id)
            if incident is not None and incident.mode is not content.mode:
                self.accuse(
                    committed.at_us, f"{content.kind} {content.id} is {content.mode} in an incident of {incident.mode}"
                )

    def _took(self, took: DispatchTook) -> None:
        row = self.scene.records.rows.get(NotificationId(took.message_id))
        exercise = row is not None and row.notification.endpoint.accepts_exercise
        allowed = {"test"} if took.type == "heartbeat" else {"live", "drill"} if exercise else {"live"}
        if took.mode not in allowed:
            self.accuse(took.at_us, f"dispatch got {took.type} {took.message_id} in mode {took.mode!r}")
