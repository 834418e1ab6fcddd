"""Req 29, 30: who falls silent is missed, once, and nobody is missed who was heard; a gateway takes its own with it.

Read here from what devices said and what was put into alertd's hands, and from the registry's windows; the judgement of
`alertd.daemon` is not asked.
"""

from alertd.model.decision import Decision
from alertd.model.ids import DeviceId
from alertd.model.site import Device, DeviceKind
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.final import Final
from alertd_simulator.world.happenings import (
    Arrived,
    Committed,
    Crashed,
    FaultBegan,
    FaultEnded,
    Happening,
    Published,
    SignOfLife,
    Started,
)

SECOND_US = 1_000_000
BREAKS = frozenset({"broker_down", "broker_drops", "broker_tricks"})
"""Faults in which what a device says may not arrive: its window begins anew after them."""
DISCONNECTS = frozenset({"broker_down", "broker_drops"})
KNOWN_WITHIN_S = 360.0
"""From the end of a window to a trouble that names the device: a round, five minutes between two texts, and whatever it
takes to listen again."""
OFFLINE_WITHIN_S = 150.0
"""From a last will to the trouble that names the gateway."""
LOSES = "broker_tricks"
"""The fault in which a broker may lose what is said at QoS 0, a last will, too. That it keeps for who listens anew."""
DISK = frozenset({"disk_full", "disk_fails", "slow_disk"})
FORGOTTEN_S = 65.0
"""When devices were heard is written once a minute, if the disk takes it, and on a slow one after all that people wait
for: a crash forgets who was heard for the first time since. Whoever was never heard has a day."""
LISTENS_S = 60.0
"""After a start, or a fault on the way, alertd listens again. What comes later than that was kept by a broker that
handed out nothing: nobody is missed while no press gets through, and every window begins anew afterwards."""
DAY_US = 24 * 3600 * SECOND_US
STAYS_S, STAYS_LONGEST_S = 300.0, 4 * 3600.0
"""Whoever was gone twice within a day is named so long after it is back, and each further time twice as long."""


class Supervision(Checker):
    name = "supervision"
    docs = (
        "Req 29, 30: nobody is said to be silent who was heard within its window; a device, or a gateway with its last "
        "will, that is gone for good is named by a trouble that stands, and one that is there is not, but for a while "
        "after it came and went."
    )
    sees = (SignOfLife, Published, Arrived, Committed, Started, Crashed, FaultBegan, FaultEnded)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._heard_us: dict[DeviceId, int] = {}
        self._said_us: dict[DeviceId, int] = {}
        self._first_us: dict[DeviceId, int] = {}
        self._online: dict[DeviceId, tuple[bool, int]] = {}
        self._may_be_lost: set[DeviceId] = set()
        """The last of that was said while the broker lost things, and was not heard since."""
        self._heard_link: dict[DeviceId, bool] = {}
        """The last word of that, as it came over the connection that stands. Against it the broker's memory is not
        believed: whose last will is not retained has left an old word there."""
        self._by_number: dict[int, tuple[DeviceId, int]] = {}
        """Who published which message, and when."""
        self._up = False
        self._broken_us = 0
        self._breaks: list[str] = []
        """Faults of `BREAKS` that last."""
        self._unwritten: list[str] = []
        self._unwritten_us, self._written_us = 0, -DAY_US
        """Faults of `DISK` that last; since when, and when the last of them ended."""
        self._named: dict[str, frozenset[str]] = {}
        """Whom the troubles that stand name, by key and site."""
        self._gaps: dict[DeviceId, list[int]] = {}
        """When each was there again after a silence of a window, or a last will."""

    def see(self, happening: Happening) -> None:
        match happening:
            case SignOfLife():
                self._sign(happening)
            case Published(truth=truth) if truth is not None and not happening.retain:
                self._by_number[happening.number] = truth.device_id, happening.at_us
            case Arrived(retain=False, number=number) if self._up and number in self._by_number:
                device_id, published_us = self._by_number[number]
                if happening.at_us - published_us > LISTENS_S * SECOND_US:
                    self._broken_us = happening.at_us
                self._hear(device_id, happening.at_us)
                self._say(device_id, happening.at_us)
            case Committed():
                self._committed(happening.decision, happening.at_us)
            case Started() | Crashed():
                self._broken_us = happening.at_us
                self._up = isinstance(happening, Started)
                self._heard_link.clear()
                if not self._up:
                    self._forget(self._written_until_us(happening.at_us))
            case FaultBegan(fault=fault) | FaultEnded(fault=fault) if fault in BREAKS:
                self._breaks_way(happening)
            case FaultBegan(fault=fault) | FaultEnded(fault=fault) if fault in DISK:
                self._disk(happening)
            case _:
                pass

    def _sign(self, sign: SignOfLife) -> None:
        match sign:
            case SignOfLife(heard=True, online=None):
                if self._up:  # a broker hands it to a dead process, too, until it misses that one
                    self._hear(sign.device_id, sign.at_us)
            case SignOfLife(heard=False, online=None):
                self._say(sign.device_id, sign.at_us)
            case SignOfLife(heard=False, online=bool() as online):
                if online and not self._online.get(sign.device_id, (True, 0))[0]:
                    self._gaps.setdefault(sign.device_id, []).append(sign.at_us)
                self._online[sign.device_id] = (online, sign.at_us)
                self._may_be_lost.discard(sign.device_id)
                if LOSES in self._breaks:
                    self._may_be_lost.add(sign.device_id)
            case SignOfLife(heard=True, online=bool() as online):
                if sign.retained and self._heard_link.get(sign.device_id, online) is not online:
                    return
                self._heard_link[sign.device_id] = online
                if self._up and online is self._online.get(sign.device_id, (None, 0))[0]:
                    self._may_be_lost.discard(sign.device_id)
            case _:
                pass

    def _say(self, device_id: DeviceId, at_us: int) -> None:
        self._said_us[device_id] = at_us
        if self._up and not self._breaks and at_us - self._broken_us > LISTENS_S * SECOND_US:
            self._first_us.setdefault(device_id, at_us)

    def _breaks_way(self, fault: FaultBegan | FaultEnded) -> None:
        self._broken_us = fault.at_us
        if fault.fault in DISCONNECTS:
            self._heard_link.clear()
        _lasts(self._breaks, fault)

    def _disk(self, fault: FaultBegan | FaultEnded) -> None:
        if not self._unwritten and fault.at_us - self._written_us > FORGOTTEN_S * SECOND_US:
            self._unwritten_us = fault.at_us
        _lasts(self._unwritten, fault)
        self._written_us = fault.at_us

    def _written_until_us(self, at_us: int) -> int:
        """What was heard before is on the disk for sure."""
        is_behind = self._unwritten or at_us - self._written_us < FORGOTTEN_S * SECOND_US
        return (self._unwritten_us if is_behind else at_us) - round(FORGOTTEN_S * SECOND_US)

    def _forget(self, since_us: int) -> None:
        """Whoever spoke for the first time since then is one that was never heard."""
        for device_id in [each for each, first_us in self._first_us.items() if first_us >= since_us]:
            del self._first_us[device_id]
            self._said_us.pop(device_id, None)

    def _hear(self, device_id: DeviceId, at_us: int) -> None:
        device = self.scene.registry.devices.get(device_id)
        before_us = self._heard_us.get(device_id)
        window_us = (device.check_in_s or 0) * SECOND_US if device is not None else 0
        if window_us and before_us is not None and at_us - before_us >= window_us:
            self._gaps.setdefault(device_id, []).append(at_us)
        self._heard_us[device_id] = at_us
        self._first_us.setdefault(device_id, at_us)

    def _may_stay(self, device_id: DeviceId, at_us: int) -> bool:
        """It is there again, and came and went within a day: is it named for a while longer?"""
        gaps = [each for each in self._gaps.get(device_id, ()) if at_us - each < DAY_US + STAYS_LONGEST_S * SECOND_US]
        if len(gaps) < 2:
            return False
        stays_s = min(STAYS_S * 2.0 ** (len(gaps) - 2), STAYS_LONGEST_S)
        return at_us - gaps[-1] < (stays_s + KNOWN_WITHIN_S) * SECOND_US

    def _committed(self, decision: Decision, at_us: int) -> None:
        """Safety: only who was silent for its whole window may be named anew."""
        for trouble in decision.troubles:
            if trouble.key.partition(":")[0] != "silent":
                continue
            place = f"{trouble.key} {trouble.site_id}"
            before = self._named.pop(place, frozenset())
            if not trouble.stands:
                continue
            self._named[place] = frozenset(trouble.members)
            for device_id in map(DeviceId, sorted(self._named[place] - before)):
                device = self.scene.registry.devices.get(device_id)
                heard_us = self._heard_us.get(device_id)
                if device is None or heard_us is None or not device.check_in_s:
                    continue
                silent_s = (at_us - heard_us) / SECOND_US
                if silent_s < device.check_in_s and not self._is_said_to_be_gone(device_id):
                    self.accuse(at_us, f"{device_id} is said to be silent, and was heard {silent_s:.0f} s ago")

    def _is_said_to_be_gone(self, device_id: DeviceId) -> bool:
        said = self._online.get(device_id)
        return said is not None and not said[0]

    def finish(self, final: Final, at_us: int) -> None:
        """Liveness: it is known who is gone, and nobody else is said to be."""
        conditions = self.scene.conditions
        if conditions.healed_us is None or not final.up:
            return
        healed_us, quiet_us = conditions.healed_us, max(conditions.last_crash_us, self._broken_us)
        missed = {each for t in final.troubles if t.key.startswith("silent:") for each in t.members}
        gone = {DeviceId(t.key.partition(":")[2]) for t in final.troubles if t.key.startswith("gateway:")}
        for device in self.scene.registry.devices.values():
            if device.kind is DeviceKind.GATEWAY:
                self._judge_gateway(device, gone, max(quiet_us, healed_us), at_us)
            elif device.check_in_s and device.kind is not DeviceKind.WEARABLE:
                self._judge(device, device.id in missed or device.gateway in gone, missed, at_us)

    def _judge(self, device: Device, known: bool, missed: set[str], at_us: int) -> None:  # noqa: FBT001
        conditions = self.scene.conditions
        quiet_us, healed_us = max(conditions.last_crash_us, self._broken_us), conditions.healed_us or 0
        said_us, window_s = self._said_us.get(device.id), device.check_in_s or 0
        if said_us is None:
            return
        due_us = max(said_us, quiet_us, self._back_us(device)) + window_s * SECOND_US
        was_heard = device.id in self._first_us
        if at_us - max(due_us, healed_us) > KNOWN_WITHIN_S * SECOND_US and was_heard and not known:
            self.accuse(at_us, f"{device.id} said nothing for {(at_us - said_us) / SECOND_US:.0f} s, and nobody knows")
        talks = (at_us - said_us) / SECOND_US < min(window_s, 120)
        if talks and at_us - max(quiet_us, healed_us) > KNOWN_WITHIN_S * SECOND_US and device.id in missed:
            if self._may_stay(device.id, at_us):
                return
            self.accuse(at_us, f"{device.id} speaks, and is said to be silent")

    def _back_us(self, device: Device) -> int:
        """When the gateway above it was there again: what hangs below has its window anew."""
        said = self._online.get(device.gateway) if device.gateway is not None else None
        return said[1] if said is not None and said[0] else 0

    def _judge_gateway(self, gateway: Device, gone: set[DeviceId], quiet_us: int, at_us: int) -> None:
        said = self._online.get(gateway.id)
        if gateway.id in self._may_be_lost:
            return
        if said is None or (at_us - max(said[1], quiet_us)) / SECOND_US < OFFLINE_WITHIN_S:
            return
        if not said[0] and gateway.id not in gone and self._said_us.get(gateway.id, 0) < said[1]:
            self.accuse(at_us, f"{gateway.id} left its last will, and nobody knows that it is gone")
        if said[0] and gateway.id in gone and not gateway.check_in_s and not self._may_stay(gateway.id, at_us):
            self.accuse(at_us, f"{gateway.id} is there again, and is said to be gone")


def _lasts(faults: list[str], happening: FaultBegan | FaultEnded) -> None:
    if isinstance(happening, FaultBegan):
        faults.append(happening.fault)
    elif happening.fault in faults:
        faults.remove(happening.fault)
