"""All devices of a district at work: what a plan's presses, reports and nonsense are on the air, and what they mean.

Owns the devices' counters, clocks and batteries, and the *truth* of each message: what the press really is by the
registry's gesture tables, read here once more and apart from alertd's engine. Whether a message arrives is the broker's
business. Must never look at what alertd makes of it, but for the confirmation that it sends to a device.

    make        seq, boot  count  clock   who
    COUNTING       yes      yes    yes    most badges and buttons
    TIMELESS       yes      yes    no     a cheap button
    ASTRAY         yes      yes    wrong  its clock is hours off, minutes slow, or was never set
    PLAIN          no       no     no     a relay on a wire: every arrival is a press of its own
    ZIGBEE         no       no     no     behind Zigbee2MQTT, which knows no identity
    ZIGBEE_SEEN    no       no     yes    the same with `last_seen`: the bridge's time is the identity
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from random import Random

from msgspec import MsgspecError, Struct
from msgspec.json import decode, encode
from msgspec.structs import replace

from alertd.engine.gestures import IGNORED
from alertd.model.ids import DeviceId, SiteId
from alertd.model.incident import IncidentClass
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind
from alertd.ports import Clock
from alertd_simulator.broker import DEVICE, REPLAYER, Published
from alertd_simulator.devices import Payload, poison
from alertd_simulator.families.said import Said
from alertd_simulator.world.happenings import Truth
from alertd_simulator.world.mapped_devices import Kind, MappedDevices
from alertd_simulator.world.plan import Gesture, Poison, Press, SensorReport

Message = tuple[float, Payload, Truth | None]
"""Seconds from now, what is published, and what it truly is."""

PRESS, HOLD = "press", "hold"
ABOVE_PRESSES, ABOVE_READINGS = "alertd/press/", "alertd/sensor/"
"""Above a device's id, where people press, and where a district gives sensors a trigger of their own."""
PRESSES = {Gesture.ONCE: 1, Gesture.THREE: 3, Gesture.EIGHT: 8, Gesture.HOLD: 1}
ZIGBEE_ACTIONS = {Gesture.ONCE: "single", Gesture.THREE: "single", Gesture.EIGHT: "single", Gesture.HOLD: "emergency"}
TOGETHER = {
    PRESS: 1, "single": 1, HOLD: 1, "long": 1, "long_press": 1, "double": 2, "double_press": 2, "triple": 3,
    "triple_press": 3, "quadruple": 4, "many": 4, "multi_press": 4,
}  # fmt: skip
"""Presses that a device has put together, by its word for them."""
HELD = frozenset({HOLD, "long", "long_press"})
BETWEEN_S = (0.15, 0.45)
"""Between two presses of one gesture."""
RADIO_S = (0.01, 0.3)
"""From the finger to the gateway's publication."""
MISSED = 0.15
"""A gateway does not hear one message of a badge so often; the last of several always does."""
DYING_SHARE, DYING_MESSAGES = 0.06, (2, 30)
"""Badges whose battery is nearly empty, and how many messages are left in them."""
REPEATING_SHARE, REPEAT_S = 0.4, (4.0, 9.0, 15.0)
"""Badges whose gateway says the last message of a gesture again, so long after it, until alertd has confirmed."""
NEAR_US, PERHAPS_NEAR_US = 60_000_000, 900_000_000
"""Whoever was heard at a school so lately is there; within so long, may be there. Later, only at home."""
NEAR_SLACK_US = 5_000_000
"""From the air to alertd's ears."""
RIVALS_DB = 10.0
"""Indoors, what a gateway hears says no more precisely than this which one was nearer."""
STRAY_S = (-7_200.0, 5_400.0, -150.0, 40.0)
NEVER_SET_S = 1_234.0
"""What a clock shows that was never set: minutes after 1970."""


GARBLED = ("garbage", "empty", "huge", "deep")
"""Nonsense that any family may send."""


class Make(StrEnum):
    COUNTING = "counting"
    TIMELESS = "timeless"
    ASTRAY = "astray"
    PLAIN = "plain"
    ZIGBEE = "zigbee"
    ZIGBEE_SEEN = "zigbee_seen"


PREFIXES = {"timeless": Make.TIMELESS, "astray": Make.ASTRAY, "plain": Make.PLAIN, "zb": Make.ZIGBEE,
            "zbs": Make.ZIGBEE_SEEN}  # fmt: skip
"""By the first word of a device's id, as the stated district writes them."""
AT_QOS_0 = "-1"
"""Zigbee buttons without time whose id ends so publish at QoS 0, as Zigbee2MQTT does unless told otherwise."""


def _measured(report: SensorReport) -> dict[str, object]:
    """What is no alarm by itself: a number, or that one is over."""
    said: dict[str, object] = {} if report.reading is None else {"reading": report.reading}
    return said | {"over": True} if report.over else said


def make_of(device_id: str) -> Make:
    return PREFIXES.get(device_id.partition("-")[0], Make.COUNTING)


def named(device: Device, action: str) -> str | None:
    """One word of those for a finger that stays stands for the others, where they agree."""
    actions = device.gestures.actions
    if action in actions or action not in HELD:
        return actions.get(action)
    others = [actions[word] for word in HELD if word in actions]
    return others[0] if others and others[0] != IGNORED and len(set(others)) == 1 else None


def meaning(device: Device, action: str, count: int) -> IncidentClass | None:
    """What the gesture tables say of this message; `None`: nobody has to be told."""
    its = named(device, action)
    if its == IGNORED:
        return None
    if its is not None and device.kind is not DeviceKind.GATEWAY:
        return IncidentClass(its)
    if action not in TOGETHER or device.kind is DeviceKind.GATEWAY:
        return None
    count = max(count, TOGETHER[action])
    reached = [threshold for threshold in device.gestures.presses if threshold <= count]
    return IncidentClass(device.gestures.presses[max(reached)]) if reached else None


class Finger(Struct, frozen=True, kw_only=True):
    """One press of a gesture: the `count`-th, so long after the deed began."""

    after_s: float
    action: str
    count: int


class Fleet:
    """`messages` of each deed, in the order of the deeds: counters go up. Deterministic: a deed draws from a stream of
    its own, so that leaving out another one changes nothing about it."""

    def __init__(
        self,
        registry: Registry,
        *,
        clock: Clock,
        random: Random,
        mapped: MappedDevices | None = None,
        sensors_speak_on: str = ABOVE_PRESSES,
    ) -> None:
        self._sensors_speak_on = sensors_speak_on
        self._registry = registry
        self._clock = clock
        self._seed = random.random()
        self._mapped = mapped or MappedDevices(0.0, 0.0)
        self._sequences: dict[str, int] = {}
        self._left: dict[str, int] = {}
        """Messages that are left in a dying battery."""
        self._confirmed: set[str] = set()
        self._heard_us: dict[DeviceId, dict[SiteId, int]] = {}
        """When each school's gateways heard a badge last, true time."""
        self._counted_us: dict[DeviceId, list[int]] = {}
        """When each device was pressed, in words that are counted, true time."""
        self._unplaced: set[str] = set()
        """Presses for which no gateway is named."""

    def messages(self, deed: Press | SensorReport | Poison, now_us: int) -> list[Message]:
        """`now_us`: true time, at which the deed begins. In the order in which they are published."""
        random = Random(f"{self._seed}:{deed.name}")
        match deed:
            case Press():
                found = list(self._press(deed, now_us, random))
                for gateway in deed.heard_by:
                    self.was_heard(deed.device, gateway, now_us)
            case SensorReport():
                found = list(self._report(deed, now_us, random))
            case _:
                found = [self._poison(deed, now_us)]
        return sorted(found, key=lambda message: message[0])  # stable

    # --- presses

    def _press(self, press: Press, now_us: int, random: Random) -> Iterator[Message]:
        device = self._registry.devices[DeviceId(press.device)]
        kind = self._mapped.kind(device.id)
        if kind is not None:
            yield from self._mapped_press(press, kind, now_us, random)
            return
        if not press.heard_by:
            self._unplaced.add(press.name)
        make = make_of(device.id)
        fingers = _said_again(press, list(_fingers(press, make, random)))
        said = [(f, self._body(device, make, f) | _state(press)) for f in fingers if self._has_power(device)]
        for place, heard_by in enumerate(press.heard_by or ("",)):
            is_last = place == len(press.heard_by or ("",)) - 1
            radio_s = random.uniform(*RADIO_S) + (press.held_back_s if is_last else 0.0)
            heard = [pair for pair in said if is_last or random.random() >= MISSED]
            found = [
                (
                    finger.after_s + radio_s,
                    replace(self._payload(device, make, _heard(press, body, place)), retain=press.retain),
                    _of_state(
                        press,
                        _of_its_place(press, place, self._truth(device, press.name, finger, heard_by, now_us)),
                        is_first=finger is fingers[0],
                    ),
                )
                for finger, body in heard
            ]
            yield from found
            if found and heard_by and not press.retain and random.random() < REPEATING_SHARE:
                self._confirmed.discard(device.id)
                yield from _again(device, found[-1])

    def _mapped_press(self, press: Press, kind: Kind, now_us: int, random: Random) -> Iterator[Message]:
        """As its family says it. Its gateways hand on what all of them heard; it belongs to its home."""
        device = self._registry.devices[DeviceId(press.device)]
        word = kind.hold if press.gesture is Gesture.HOLD else kind.press
        radio_s = random.uniform(*RADIO_S) + press.held_back_s
        fingers = list(_fingers(replace(press, action=press.action or word), Make.COUNTING, random))
        for finger in fingers:
            if not self._has_power(device):
                return
            truth = self._truth(device, press.name, finger, "", now_us)
            said, is_last = self._said(device, finger), finger is fingers[-1]
            for after_s, payload, tells in self._mapped.say(kind, said, random, press.heard_by, is_last=is_last):
                at_s = finger.after_s + radio_s + after_s
                yield at_s, replace(payload, retain=payload.retain or press.retain), truth if tells else None

    def _said(self, device: Device, finger: Finger) -> Said:
        return Said(
            device=device.id,
            act=finger.action,
            at_us=self._clock.now().wall_us + round(finger.after_s * 1e6),
            battery=min(90, self._left.get(device.id, 90)),
        )

    def _has_power(self, device: Device) -> bool:
        """A dying badge has so many messages left, then it is silent."""
        if device.kind is not DeviceKind.WEARABLE:
            return True
        if device.id not in self._left:
            random = Random(f"{self._seed}:battery of {device.id}")
            is_dying = random.random() < DYING_SHARE
            self._left[device.id] = random.randrange(*DYING_MESSAGES) if is_dying else 1_000_000
        self._left[device.id] -= 1
        return self._left[device.id] >= 0

    def _body(self, device: Device, make: Make, finger: Finger) -> dict[str, object]:
        wall_us = self._clock.now().wall_us + round(finger.after_s * 1e6)
        if make in (Make.ZIGBEE, Make.ZIGBEE_SEEN):
            return _zigbee(finger.action, wall_us if make is Make.ZIGBEE_SEEN else None)
        body: dict[str, object] = {"action": finger.action}
        if make is Make.PLAIN:
            return body
        sequence = self._sequences[device.id] = self._sequences.get(device.id, 0) + 1
        body |= {"count": finger.count, "seq": sequence, "boot": "1"}
        if make is not Make.TIMELESS:
            body["at"] = self._shown(device, make, wall_us)
        if device.kind is DeviceKind.WEARABLE:
            body["battery"] = min(90, self._left[device.id])
        return body

    def _shown(self, device: Device, make: Make, wall_us: int) -> float:
        """What the device's own clock shows."""
        off_s = 0.0
        if make is Make.ASTRAY:
            random = Random(f"{self._seed}:clock of {device.id}")
            if random.random() < 1 / 5:
                return NEVER_SET_S
            off_s = random.choice(STRAY_S)
        return round(wall_us / 1e6 + off_s, 3)

    def _payload(self, device: Device, make: Make, body: dict[str, object]) -> Payload:
        if make in (Make.ZIGBEE, Make.ZIGBEE_SEEN):
            qos = 0 if make is Make.ZIGBEE and device.id.endswith(AT_QOS_0) else 1
            return Payload(topic=f"zigbee2mqtt/{device.id}", payload=encode(body), qos=qos)
        above = self._sensors_speak_on if device.kind is DeviceKind.SENSOR else ABOVE_PRESSES
        return Payload(topic=f"{above}{device.id}", payload=encode(body))

    def _truth(self, device: Device, press: str, finger: Finger, heard_by: str, now_us: int) -> Truth:
        site_id, pressed_us = self._site(device, heard_by), now_us + round(finger.after_s * 1e6)
        near = {} if heard_by else self._near(device, pressed_us)
        return Truth(
            press=press,
            device_id=device.id,
            site_id=site_id,
            zone_id=device.zone_id,
            incident_class=None if site_id is None else meaning(device, finger.action, finger.count),
            count=finger.count,
            pressed_us=pressed_us,
            has_identity=make_of(device.id) not in (Make.PLAIN, Make.ZIGBEE),
            near=tuple(near),
            is_near=_is_near(near),
            began_us=self._began_us(device, finger.action, pressed_us),
        )

    def _began_us(self, device: Device, action: str, pressed_us: int) -> int | None:
        """Of a button that is held, where its gestures do not name that: since when each press of it was within the
        window of the next."""
        if action not in TOGETHER or named(device, action) is not None:
            return None
        counted_us = self._counted_us.setdefault(device.id, [])
        counted_us.append(pressed_us)
        if action not in HELD:
            return None
        window_us, began_us = round((device.gestures.window_s + RADIO_S[1]) * 1e6), pressed_us
        for each_us in sorted(counted_us, reverse=True):
            if 0 <= began_us - each_us <= window_us:
                began_us = each_us
        return began_us

    def was_heard(self, device: str, gateway: str, at_us: int) -> None:
        """A gateway hears a badge, whatever it says."""
        known = self._registry.devices.get(DeviceId(gateway))
        if known is not None and known.kind is DeviceKind.GATEWAY:
            self._heard_us.setdefault(DeviceId(device), {})[known.site_id] = at_us

    def placed(self, payload: Payload, truth: Truth, at_us: int) -> Truth:
        """It is published now, true time, and may have been held back: alertd knows by then who heard the badge since
        it was pressed, and places it by that."""
        gateway = _gateway_of(payload)
        if gateway:
            self.was_heard(truth.device_id, gateway, at_us)
        if truth.press not in self._unplaced:
            return truth
        near = self._near(self._registry.devices[truth.device_id], at_us)
        return replace(truth, near=tuple(near), is_near=_is_near(near))

    def _near(self, device: Device, at_us: int) -> dict[SiteId, int]:
        """The other schools where it may press, and was heard lately: how long ago."""
        ago_us = {site_id: at_us - heard_us for site_id, heard_us in self._heard_us.get(device.id, {}).items()}
        lately_us = PERHAPS_NEAR_US + NEAR_SLACK_US
        return {site_id: us for site_id, us in ago_us.items() if site_id in device.roaming_sites and us <= lately_us}

    def _site(self, device: Device, heard_by: str) -> SiteId | None:
        """Home; of a roaming badge the school whose gateway heard it, if it may press there."""
        gateway = self._registry.devices.get(DeviceId(heard_by))
        if not device.roaming_sites or gateway is None or gateway.kind is not DeviceKind.GATEWAY:
            return device.site_id
        return gateway.site_id if gateway.site_id in {device.site_id, *device.roaming_sites} else None

    # --- sensors and nonsense

    def _report(self, report: SensorReport, now_us: int, random: Random) -> Iterator[Message]:
        device = self._registry.devices[DeviceId(report.device)]
        kind = self._mapped.kind(device.id)
        for number in range(report.times):
            finger = Finger(after_s=number * report.every_s, action=report.action, count=1)
            if kind is not None:
                truth = self._truth(device, report.name, finger, "", now_us)
                said = self._mapped.say(kind, self._said(device, finger), random, ())
                yield from ((finger.after_s + after_s, payload, truth) for after_s, payload, _ in said)
                continue
            body = self._body(device, Make.COUNTING, finger) | _measured(report)
            payload = self._payload(device, Make.COUNTING, body)
            truth = self._truth(device, report.name, finger, "", now_us)
            alarm = report.reading is None and not report.over
            yield finger.after_s, payload, truth if alarm else replace(truth, incident_class=None)

    def _poison(self, nonsense: Poison, now_us: int) -> Message:
        """Nonsense is nobody's press; only the press on which the engine fails is one: its site has to be paged."""
        device = self._registry.devices[DeviceId(nonsense.device)]
        if nonsense.kind == "stolen":
            return 0.0, self._stolen(device, nonsense.name), None
        payload = poison(nonsense.kind, device.id, nonsense.name)
        kind = self._mapped.kind(device.id)
        if nonsense.kind in GARBLED and kind is not None:  # on its family's own topic
            payload = replace(payload, topic=self._mapped.topic(kind, device.id))
        elif device.kind is DeviceKind.SENSOR and payload.topic == ABOVE_PRESSES + device.id:
            payload = replace(payload, topic=self._sensors_speak_on + device.id)
        if nonsense.kind != "decide":
            return 0.0, payload, None
        classes = [meaning(device, PRESS, 1_000), *(meaning(device, action, 1) for action in device.gestures.actions)]
        finger = Finger(after_s=0.0, action=PRESS, count=1)
        truth = self._truth(device, nonsense.name, finger, "", now_us)
        gravest = next((each for each in classes if each is not None), None)
        return 0.0, payload, replace(truth, incident_class=gravest, has_identity=True)

    def _stolen(self, device: Device, name: str) -> Payload:
        """With its password, in a button's name: the gravest that this one can say."""
        button = min(
            each.id
            for each in self._registry.devices.values()
            if each.kind is DeviceKind.BUTTON and each.site_id == device.site_id and each.gestures.presses
        )
        count = max(self._registry.devices[button].gestures.presses)
        body = encode({"action": PRESS, "count": count, "seq": 1, "boot": f"stolen {name}"})
        return Payload(topic=f"{ABOVE_PRESSES}{button}", payload=body, user=device.id)

    # --- what comes back

    def hear(self, published: Published) -> None:
        """Of everything that is published: alertd's word to a device."""
        topic, _, device_id = published.topic.rpartition("/")
        if topic == "alertd/feedback" and published.client_id not in {DEVICE, REPLAYER}:
            self._confirmed.add(device_id)

    def is_needless(self, payload: Payload) -> bool:
        """A repetition of what alertd has confirmed meanwhile."""
        return bool(payload.until_confirmed) and payload.until_confirmed in self._confirmed


def _fingers(press: Press, make: Make, random: Random) -> Iterator[Finger]:
    is_zigbee = make in (Make.ZIGBEE, Make.ZIGBEE_SEEN)
    usual = ZIGBEE_ACTIONS[press.gesture] if is_zigbee else HOLD if press.gesture is Gesture.HOLD else PRESS
    after_s = 0.0
    for count in range(1, (press.presses or PRESSES[press.gesture]) + 1):
        yield Finger(after_s=round(after_s, 3), action=press.action or usual, count=count)
        after_s += random.uniform(*BETWEEN_S)


def _heard(press: Press, body: dict[str, object], place: int) -> dict[str, object]:
    if not press.heard_by:
        return body
    strength: dict[str, object] = {"rssi": press.rssi[place]} if place < len(press.rssi) else {}
    return body | {"gateway": press.heard_by[place]} | strength


def _gateway_of(payload: Payload) -> str:
    try:
        said = decode(payload.payload)
    except MsgspecError:
        return ""
    return str(said.get("gateway") or "") if isinstance(said, dict) else ""


def _is_near(near: dict[SiteId, int]) -> bool:
    return min(near.values(), default=PERHAPS_NEAR_US) <= NEAR_US + NEAR_SLACK_US


def _said_again(press: Press, fingers: list[Finger]) -> list[Finger]:
    """What the messages say: of a state, the same again and again."""
    if press.over:
        return fingers[:1]
    if not press.stays_s:
        return fingers
    again = range(int(press.first_lost), int(press.stays_s // press.every_s) + 1)
    return [Finger(after_s=number * press.every_s, action=fingers[0].action, count=1) for number in again]


def _state(press: Press) -> dict[str, object]:
    if press.over:
        return {"over": True}
    return {"lasts_s": round(3 * press.every_s)} if press.stays_s else {}


def _of_its_place(press: Press, place: int, truth: Truth) -> Truth:
    """Where one gateway hears it so much better, nobody has to be told by a fainter one's copy: that one's site need
    not be its own."""
    if place < len(press.rssi) and press.rssi[place] < max(press.rssi) - RIVALS_DB:
        return replace(truth, incident_class=None)
    return truth


def _of_state(press: Press, truth: Truth, *, is_first: bool) -> Truth:
    """Only the first that is heard of a state is a press; that it is over is none."""
    is_press = not press.over and (is_first or not press.stays_s)
    return truth if is_press else replace(truth, incident_class=None)


def _again(device: Device, said: Message) -> Iterator[Message]:
    """The gateway says it again, and again, until alertd has confirmed."""
    sent_s, payload, truth = said
    for repeat_s in REPEAT_S:
        yield sent_s + repeat_s, replace(payload, until_confirmed=device.id), truth


def _zigbee(action: str, seen_us: int | None) -> dict[str, object]:
    body: dict[str, object] = {"action": action, "battery": 87, "linkquality": 112}
    if seen_us is not None:
        thousandths = seen_us // 1_000
        thousandths += not thousandths % 1_000  # a bridge that writes whole seconds tells no two presses apart
        seen = datetime.fromtimestamp(thousandths / 1_000, UTC)
        body["last_seen"] = seen.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return body
