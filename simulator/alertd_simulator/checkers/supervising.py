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
KNOWN_WITHIN_S = 360.0
"""From the end of a window to a trouble that names the device: a round, five minutes between two texts, and whatever it
takes to listen again."""
OFFLINE_WITHIN_S = 150.0
"""From a last will to the trouble that names the gateway."""


class Supervision(Checker):
    name = "supervision"
    docs = (
        "Req 29, 30: nobody is said to be silent who was heard within its window; a device, or a gateway with its last "
        "will, that is gone for good is named by a trouble that stands, and one that is there is not."
    )
    sees = (SignOfLife, Published, Arrived, Committed, Started, Crashed, FaultBegan, FaultEnded)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._heard_us: dict[DeviceId, int] = {}
        self._said_us: dict[DeviceId, int] = {}
        self._online: dict[DeviceId, tuple[bool, int]] = {}
        self._by_number: dict[int, DeviceId] = {}
        self._broken_us = 0

    def see(self, happening: Happening) -> None:
        match happening:
            case SignOfLife(heard=True, online=None):
                self._heard_us[happening.device_id] = happening.at_us
            case SignOfLife(heard=False, online=None):
                self._said_us[happening.device_id] = happening.at_us
            case SignOfLife(heard=False, online=bool() as online):
                self._online[happening.device_id] = (online, happening.at_us)
            case Published(truth=truth) if truth is not None and not happening.retain:
                self._by_number[happening.number] = truth.device_id
            case Arrived(retain=False, number=number) if number in self._by_number:
                self._heard_us[self._by_number[number]] = happening.at_us
                self._said_us[self._by_number[number]] = happening.at_us
            case Committed():
                self._committed(happening.decision, happening.at_us)
            case Started() | Crashed():
                self._broken_us = happening.at_us
            case FaultBegan(fault=fault) | FaultEnded(fault=fault) if fault in BREAKS:
                self._broken_us = happening.at_us
            case _:
                pass

    def _committed(self, decision: Decision, at_us: int) -> None:
        """Safety: only who was silent for its whole window may be named anew."""
        for trouble in decision.troubles:
            if not trouble.stands or trouble.key.partition(":")[0] != "silent":
                continue
            for device_id in map(DeviceId, trouble.members):
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
        if at_us - max(due_us, healed_us) > KNOWN_WITHIN_S * SECOND_US and not known:
            self.accuse(at_us, f"{device.id} said nothing for {(at_us - said_us) / SECOND_US:.0f} s, and nobody knows")
        talks = (at_us - said_us) / SECOND_US < min(window_s, 120)
        if talks and at_us - max(quiet_us, healed_us) > KNOWN_WITHIN_S * SECOND_US and device.id in missed:
            self.accuse(at_us, f"{device.id} speaks, and is said to be silent")

    def _back_us(self, device: Device) -> int:
        """When the gateway above it was there again: what hangs below has its window anew."""
        said = self._online.get(device.gateway) if device.gateway is not None else None
        return said[1] if said is not None and said[0] else 0

    def _judge_gateway(self, gateway: Device, gone: set[DeviceId], quiet_us: int, at_us: int) -> None:
        said = self._online.get(gateway.id)
        if said is None or (at_us - max(said[1], quiet_us)) / SECOND_US < OFFLINE_WITHIN_S:
            return
        if not said[0] and gateway.id not in gone and self._said_us.get(gateway.id, 0) < said[1]:
            self.accuse(at_us, f"{gateway.id} left its last will, and nobody knows that it is gone")
        if said[0] and gateway.id in gone and not gateway.check_in_s:
            self.accuse(at_us, f"{gateway.id} is there again, and is said to be gone")
