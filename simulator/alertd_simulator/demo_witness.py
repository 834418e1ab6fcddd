"""What can be seen of the demo's story, and which hop it is: on the wire, on phones, at dispatch, of loudspeakers.

Owns the recognition of hops. Must never make anything happen.
"""

import re
from typing import Any

from alertd.model.policy import TargetKind
from alertd_simulator.carrier_json import CallRecord, Text
from alertd_simulator.carrier_twiml import first_words
from alertd_simulator.demo_hops import (
    OF_CALLS,
    OF_DISPATCH,
    OF_DISPATCH_LATER,
    OF_KEYS,
    OF_KNOWN_WORDS,
    OF_PA,
    OF_PA_LATER,
    Hop,
    Hops,
)
from alertd_simulator.demo_loudspeakers import Heard
from alertd_simulator.demo_school import School
from alertd_simulator.demo_wiring import MARK_WORDS
from alertd_simulator.dispatch_center import Message
from alertd_simulator.mqtt_tap import Packet
from alertd_simulator.people import OFFER, Habit, Responder

GOING = re.compile(r"\bGOING\b")
IS_DRILL, WAS_DRILL = "THIS IS A DRILL", "DRILL STOPPED"


def hops_of(school: School, *, pa: bool) -> Hops:
    """What must happen at this district; a shorter story where it has no dispatch centre, calls or loudspeakers."""
    first, later = school.site, school.drill_site
    left_out: set[Hop] = set()
    left_out |= set() if school.has_dispatch(first) else OF_DISPATCH
    left_out |= set() if school.has_dispatch(later) else OF_DISPATCH_LATER
    left_out |= set() if school.calls() else OF_CALLS
    left_out |= set() if school.calls() and school.callbacks else OF_KEYS
    left_out |= set() if pa and school.speaks(first) else OF_PA
    left_out |= set() if pa and school.speaks(later) else OF_PA_LATER
    left_out |= set() if school.recordings else OF_KNOWN_WORDS
    return Hops(tuple(set(Hop) - left_out))


class Witnesses:
    """Everyone who sees something of the story."""

    def __init__(self, school: School, hops: Hops, responders: list[Responder]) -> None:
        self.hops = hops
        self.topic = ""
        """On which the first press travels."""
        self.drill_number: int | None = None
        """Of the drill's announcement in its zone, once it began."""
        self._school = school
        self._by_number = {responder.number: responder for responder in responders}
        self._ignoring: dict[str, None] = {}
        """Names of those whose phone lit up and who do not hear it, in order."""
        self._kinds = {name: rules.kind for name, rules in school.registry.channels.items()}
        self._delivered: tuple[int, int] | None = None
        """Connection and packet id of the press on its way to alertd."""

    # --- the wire

    def on_the_wire(self, packet: Packet) -> None:
        if packet.topic == self.topic and not packet.from_client:
            self._delivered = (packet.connection, packet.packet_id)
        elif packet.is_ack and packet.from_client and (packet.connection, packet.packet_id) == self._delivered:
            self.hops.reach(Hop.ACKNOWLEDGED, at_us=packet.at_us)
        elif packet.from_client and packet.topic.startswith("alertd/feedback/"):
            self.hops.reach(Hop.FEEDBACK, at_us=packet.at_us)

    # --- phones

    def phone_lit_up(self, text: Text) -> None:
        responder = self._by_number.get(text.to)
        if responder is None or Hop.PRESSED not in self.hops.reached:
            return
        if Hop.DRILL_BEGUN in self.hops.reached:
            self._drill_text(f"{responder.name} reads", text.body)
            return
        reads = f"{responder.name} reads"
        if "ALSO" in text.body:
            self.hops.reach(Hop.SECOND_TOLD, reads, text=text.body)
        if responder.habit is Habit.SILENT:
            self._ignoring[responder.name] = None
            self.hops.reach(Hop.TEXT_SEEN, reads, text=text.body)
        elif OFFER.search(text.body) and Hop.ESCALATED in self.hops.reached:
            self.hops.reach(Hop.NEXT_SEEN, reads, text=text.body)
        if GOING.search(text.body) and Hop.REPLIED in self.hops.reached:
            self.hops.reach(Hop.CONFIRMED, reads, text=text.body)

    def _drill_text(self, reads: str, body: str) -> None:
        if body.startswith(WAS_DRILL):
            self.hops.reach(Hop.REAL_SEEN, reads, text=body)
        elif body.startswith(IS_DRILL) and body.endswith(f"{IS_DRILL}."):
            self.hops.reach(
                Hop.DRILL_SEEN if Hop.DRILL_PRESSED in self.hops.reached else Hop.DRILL_TOLD, reads, text=body
            )

    def call_taken(self, call: CallRecord, _by: str) -> None:
        self.hops.reach(Hop.RANG, f"{self._name(call.to)} hears", text=first_words(call))

    def key_pressed(self, call: CallRecord, key: str) -> None:
        self.hops.reach(Hop.KEY, self._name(call.to), text=key)

    def heard_in_call(self, call: CallRecord, words: str) -> None:
        if call.keys and Hop.KEY in self.hops.reached:
            self.hops.reach(Hop.KEY_ANSWERED, f"{self._name(call.to)} hears", text=words)

    def _name(self, number: str) -> str:
        responder = self._by_number.get(number)
        return responder.name if responder else number

    # --- dispatch

    def dispatch_received(self, message: Message) -> None:
        if Hop.REAL_PRESSED in self.hops.reached:
            if message.type == "new":
                self.hops.reach(Hop.REAL_DISPATCH, text=message.headline)
            return
        if message.type == "new":
            self.hops.reach(Hop.DISPATCH_RECEIVED, text=message.headline)
        presses = message.body.get("presses")
        if isinstance(presses, list) and len(presses) > 1:
            self.hops.reach(Hop.SECOND_DISPATCH, text=message.headline)

    # --- loudspeakers

    def loudspeaker(self, heard: Heard) -> None:
        school, reached = self._school, self.hops.reached
        if Hop.DRILL_BEGUN in reached:
            if heard.zone in school.zones_of(school.drill_site):
                self._of_the_drill(heard)
        elif heard.zone in school.zones_of(school.site) and Hop.PRESSED in reached:
            if not heard.words and not heard.ended:
                self.hops.reach(Hop.SPOKEN, heard.zone, at_us=heard.at_us)
            elif heard.words and heard.words == self._announcement(school.site.id):
                lost = f"{heard.saying.packets} packets by then, {heard.saying.lost} lost"
                self.hops.reach(Hop.ANNOUNCED, lost, text=heard.words, at_us=heard.at_us)

    def _of_the_drill(self, heard: Heard) -> None:
        if Hop.DRILL_PRESSED not in self.hops.reached:
            return
        if self.drill_number is None and heard.words == MARK_WORDS["drill"]:
            self.drill_number = heard.number
            self.hops.reach(Hop.DRILL_SPOKEN, heard.zone, text=heard.words, at_us=heard.at_us)
        elif self.drill_number is None or Hop.REAL_PRESSED not in self.hops.reached:
            return
        elif heard.number == self.drill_number and heard.ended:
            self.hops.reach(Hop.DRILL_CUT, f"after {heard.saying.seconds:.1f} s of it", at_us=heard.at_us)
        elif heard.number > self.drill_number and heard.words == MARK_WORDS["over"]:
            self.hops.reach(Hop.REAL_SPOKEN, heard.zone, text=heard.words, at_us=heard.at_us)
        elif heard.number > self.drill_number and heard.words == self._announcement(self._school.drill_site.id):
            self.hops.reach(Hop.REAL_ANNOUNCED, heard.zone, text=heard.words, at_us=heard.at_us)

    def _announcement(self, site_id: str) -> str:
        """What the lockdown policy of this school lets its loudspeakers say."""
        site = next(s for s in self._school.stages if s.id == site_id)
        targets = (t for step in self._school.policy(site).steps for t in step.targets)
        target = next((t for t in targets if t.kind is TargetKind.LOUDSPEAKERS), None)
        endpoint = site.loudspeakers.get(target.id) if target else None
        if target is None or endpoint is None:
            return ""
        return self._school.registry.channels[endpoint.channel].announcements.get(target.announcement, "")

    # --- what alertd says of itself

    def read(self, line: dict[str, Any], *, of_drill_site: bool) -> None:
        """One line of a timeline."""
        what, who, at_us = line["what"], line["who"], line["at_us"]
        if Hop.DRILL_BEGUN in self.hops.reached:
            accepted = what.startswith("dispatch:") and line["state"] == "accepted"
            if of_drill_site and accepted and Hop.REAL_PRESSED in self.hops.reached:
                self.hops.reach(Hop.REAL_ACCEPTED, what.removeprefix("dispatch: "), at_us=at_us)
            return
        is_text = self._kinds.get(line["known_by"]) == "sms"
        if what.startswith("press"):
            self.hops.reach(Hop.COMMITTED, at_us=at_us)
        elif is_text and line["state"] == "accepted":
            self.hops.reach(Hop.TEXT_ACCEPTED, f"to {who}", at_us=at_us)
        elif is_text and line["state"] == "delivered":
            self.hops.reach(Hop.TEXT_DELIVERED, f"to {who}", at_us=at_us)
        elif what.startswith("dispatch:") and line["state"] == "accepted":
            self.hops.reach(Hop.DISPATCH_ACCEPTED, what.removeprefix("dispatch: "), at_us=at_us)
        elif line["reason"] == "next_step":
            self.hops.reach(Hop.IGNORED, ", ".join(self._ignoring), at_us=at_us)
            self.hops.reach(Hop.ESCALATED, f"{who} is called", at_us=at_us)
        elif what.startswith("answer") and line["reason"] == "acknowledged":
            by = self._kinds.get(what.rpartition(" by ")[2])
            hop = Hop.KEY_COUNTED if by == "voice" else Hop.ANSWERED
            self.hops.reach(hop, what.removeprefix("answer: "), at_us=at_us)
