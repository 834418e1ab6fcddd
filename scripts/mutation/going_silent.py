# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of supervision over time: what adds up, what came together, what comes and goes, what is told again."""

from mutation.mutant import Edit, Mutant, Story, Tests

CHECK_INS = "alertd/daemon/check_ins.py"
RECORDS = "alertd/daemon/device_records.py"
WINDOWS = "alertd/daemon/windows.py"
EARS = "alertd/daemon/ears.py"
FLAPPING = "alertd/daemon/flapping.py"
SITES = "alertd/daemon/site_troubles.py"
GATES = "alertd/daemon/gateways.py"
CLOCKS = "alertd/daemon/slow_clocks.py"
TROUBLES = "alertd/engine/troubles.py"
FEEDBACK = "adapters/alertd_adapters/mqtt/feedback.py"
POWER = "adapters/alertd_adapters/decoders/mapping/power.py"

TESTS = ("tests/daemon/test_check_ins.py",)
GATEWAYS = ("tests/daemon/test_gateways.py",)
COMING_AND_GOING = ("tests/daemon/test_coming_and_going.py",)
SLOW_CLOCKS = ("tests/daemon/test_slow_clocks.py",)
ENGINE = ("tests/engine/test_supervision.py",)
SHOWN = ("tests/adapters/mqtt/test_feedback.py",)
SIGNS = ("tests/adapters/decoders/mapping/test_signs.py",)


def _mutant(name: str, file: str, old: str, new: str, names: str, paths: tuple[str, ...]) -> Mutant:
    return Mutant(
        name=f"supervision: {name}", edits=(Edit(file=file, old=old, new=new),), by=Tests(paths=paths, names=names)
    )


GOING_SILENT = (
    Mutant(
        name="supervision: a gateway that is off again and again hides whoever died below it",
        edits=(
            Edit(
                file=RECORDS,
                old="        self.listened_us = min(listened_us, self.listened_us + max(0, deaf_us))\n",
                new="        self.listened_us = listened_us if deaf_us else 0\n",
            ),
        ),
        by=Story(name="gateway_off_again_and_again"),
    ),
    Mutant(
        name="supervision: who came and went, and is dead, is told to nobody who knows the one",
        edits=(
            Edit(
                file=SITES,
                old="            self._flapping.fell(record, now_us, untold=True)\n",
                new="            self._flapping.fell(record, now_us)\n",
            ),
        ),
        by=Story(name="device_comes_and_goes_and_dies"),
    ),
    Mutant(
        name="supervision: a last will is a device's own though its gateway left one, too",
        edits=(
            Edit(
                file=WINDOWS,
                old="        return self._not_before_gateway(record, record.offline_us, until_us, heard, now) <= now.boot_us\n",
                new="        return until_us > 0 and self._tree.gone_above(record) is None\n",
            ),
        ),
        by=Story(name="last_wills_of_one_switch"),
    ),
    _mutant(
        "what nobody could hear counts",
        RECORDS,
        "self.listened_us + max(0, deaf_us))",
        "self.listened_us)",
        "for three days nobody could hear it",
        GATEWAYS,
    ),
    _mutant(
        "a gateway takes back an older silence",
        WINDOWS,
        "    return record.lost_us >= gone_us\n",
        "    return record.lost_us >= gone_us or not gone_us > gateway.last_us + 1\n",
        "it was silent while the gateway was there",
        GATEWAYS,
    ),
    _mutant(
        "a gateway's last will takes back an older one",
        WINDOWS,
        "    return record.lost_us >= gone_us\n",
        "    return record.lost_us >= gone_us or record.offline_us is not None\n",
        "it was gone an hour before its gateway",
        GATEWAYS,
    ),
    _mutant(
        "what hangs below has no time to connect anew",
        WINDOWS,
        "max(record.offline_us, record.resumed_us) + patience_us",
        "record.offline_us + patience_us",
        "they have a minute to connect anew",
        GATEWAYS,
    ),
    _mutant(
        "a last will waits for a gateway that speaks",
        WINDOWS,
        "self._not_before_gateway(record, record.offline_us, until_us,",
        "self._not_before_gateway(record, now.boot_us + 1, until_us + patience_us,",
        "a minute after its last will, and nobody was told",
        GATEWAYS,
    ),
    _mutant(
        "whoever dies for longer each time is told each time",
        FLAPPING,
        "max(record.window_us, _hold_us(falls))",
        "record.window_us",
        "technicians are texted each time it comes and goes",
        COMING_AND_GOING,
    ),
    _mutant(
        "a gateway that came and went, and is dead, is told to nobody",
        GATES,
        "untold=is_again)",
        "untold=False)",
        "it is gone for good, and whoever acknowledged that it comes and goes hears nothing",
        COMING_AND_GOING,
    ),
    _mutant(
        "a start forgets that a fall was told to nobody",
        SITES,
        "                site.members[device_id] = record\n                self._returns(site, record)\n",
        "                site.members[device_id] = record\n",
        "it is dead, and alertd was started since it fell",
        COMING_AND_GOING,
    ),
    _mutant(
        "a start tells a fall again",
        FLAPPING,
        "replace(falls, untold=False)",
        "replace(falls, untold=True)",
        "that is known, and no news after a start",
        COMING_AND_GOING,
    ),
    _mutant(
        "a new trouble waits as a change of the last one",
        SITES,
        "                    site.raised, site.told_us = False, None\n",
        "                    site.raised = False\n",
        "it is a new trouble, and waits as if it were an old one's change",
        COMING_AND_GOING,
    ),
    _mutant(
        "who is dead is no news to who acknowledged",
        TROUBLES,
        '        _tell(d, replace(again, acknowledged_by=""), Reason.TROUBLE)\n',
        "        _tell(d, again, Reason.TROUBLE)\n",
        "an acknowledgement covers what was known",
        ENGINE,
    ),
    _mutant(
        "one more begins the trouble anew",
        TROUBLES,
        "        begun = replace(begun, raised_us=standing.raised_us)\n",
        "        begun = replace(begun, raised_us=begun.raised_us)\n",
        "it stands since an hour, and is said to be new",
        ENGINE,
    ),
    _mutant(
        "an acknowledged battery is repeated like any other",
        TROUBLES,
        "    if not trouble.acknowledged_by:\n        return 0.0\n",
        "    if trouble.number:\n        return 0.0\n",
        "technicians are texted every five minutes of what they look after",
        ENGINE,
    ),
    _mutant(
        "the shortest of all ears is asked",
        EARS,
        "max(each.total_us(now) for each in ears)",
        "min(each.total_us(now) for each in ears)",
        "a source that is new hides who was silent for two windows",
        TESTS,
    ),
    _mutant(
        "what is taken back expires as what was shown",
        FEEDBACK,
        "forget.payload, TAKEN_BACK_S)",
        "forget.payload, 30)",
        "it is shown for ever",
        SHOWN,
    ),
    _mutant(
        "what a LoRaWAN profile calls low is not",
        POWER,
        "        return self._of_percent(round((found - 1)",
        "        return Battery(pct=round((found - 1)",
        "a battery is taken for another",
        SIGNS,
    ),
    _mutant(
        "a slow clock of a sensor is nobody's trouble",
        CLOCKS,
        "sensor.count < SLOW_LEAST or",
        "sensor.count or",
        "none of its numbers is ever an alarm, and nobody knows",
        SLOW_CLOCKS,
    ),
    _mutant(
        "what waited at a gateway is a slow clock",
        CLOCKS,
        "        self._slow.pop(device.id, None)\n",
        "",
        "it waited at a gateway, or at the broker",
        SLOW_CLOCKS,
    ),
    _mutant(
        "a slow clock that was set over a restart stays a trouble",
        "alertd/daemon/last_seen.py",
        "        self._readings.remember(troubles)\n",
        "",
        "is told of it every four hours for ever",
        SLOW_CLOCKS,
    ),
    _mutant(
        "a slow clock of a sensor that is gone stays a trouble",
        "alertd/daemon/readings.py",
        "            self._clocks.keep(registry())\n",
        "",
        "is told of it every four hours for ever",
        SLOW_CLOCKS,
    ),
    _mutant(
        "a slow clock of a badge is over where it does not live",
        CLOCKS,
        "site_id not in (device.site_id, *device.roaming_sites)",
        "site_id != device.site_id",
        "it is slow yet, and said to be over",
        SLOW_CLOCKS,
    ),
    _mutant(
        "a badge with a long window counts from whatever was restarted last",
        RECORDS,
        "self._opening_us(site, self.last_us + self.window_us, now)",
        "self._opening_us(site, due_us, now)",
        "two weeks without a word, and nobody was told",
        TESTS,
    ),
    _mutant(
        "a badge that lay at home over the weekend is missed on Monday morning",
        RECORDS,
        "        at_us = max(due_us, began_us + self.window_us)\n",
        "        at_us = due_us\n",
        "and lay at home over the weekend",
        TESTS,
    ),
    _mutant(
        "a badge is missed when school is over",
        RECORDS,
        "return max(at_us, self._opening_us(site, at_us, now) + min(self.window_us, round(FIRST_HOUR_S * 1_000_000)))",
        "return at_us",
        "it may hang in a drawer yet",
        TESTS,
    ),
    _mutant(
        "what an earlier life knew of a bridge outranks the broker",
        "alertd/daemon/device_tree.py",
        "        gateway.silent = not gateway.is_there\n",
        "        gateway.silent = True\n",
        "it is there, and said to be gone",
        GATEWAYS,
    ),
    _mutant(
        "a last will of an earlier life outranks the broker",
        RECORDS,
        "self.offline_us is None and self.linked is None:\n",
        "self.offline_us is None:\n",
        "it was taken back while alertd was away",
        GATEWAYS,
    ),
)
