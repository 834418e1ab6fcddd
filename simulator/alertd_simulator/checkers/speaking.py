"""Promise 6, promise 1: the broker lets every device press, and nobody as somebody else.

Read from who published what, by whose password, and from the registry; the access list itself is not asked.
"""

from alertd.model.ids import DeviceId
from alertd.model.site import Device, DeviceKind
from alertd_simulator.checkers.checker import Checker
from alertd_simulator.world.happenings import Happening, Published, Refused

PRESSES = "alertd/press/"
"""Where people press; below it stands the device's id."""


class OwnVoice(Checker):
    name = "own voice"
    docs = (
        "Promise 6: nobody presses with another device's password: no sensor at all, a gateway for the wearables of "
        "its school alone. Promise 1: the access list that `alertd broker config` writes keeps no press away."
    )
    sees = (Published, Refused)

    def see(self, happening: Happening) -> None:
        match happening:
            case Published(user=user, topic=topic) if topic.startswith(PRESSES):
                speaker = self.scene.registry.devices.get(DeviceId(user))
                if speaker is not None and not self._may(speaker, DeviceId(topic.removeprefix(PRESSES))):
                    self.accuse(happening.at_us, f"{user} published on {topic} with its own password")
            case Refused(forbidden=True, truth=truth) if truth is not None:
                self.accuse(happening.at_us, f"the broker lets nobody publish {happening.topic}, and it was pressed")
            case _:
                pass

    def _may(self, speaker: Device, device_id: DeviceId) -> bool:
        if speaker.kind is not DeviceKind.GATEWAY:
            return speaker.id == device_id and speaker.kind is not DeviceKind.SENSOR
        device = self.scene.registry.devices.get(device_id)
        is_worn = device is not None and device.kind is DeviceKind.WEARABLE
        return device is not None and is_worn and speaker.site_id in (device.site_id, *device.roaming_sites)
