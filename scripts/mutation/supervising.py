# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of supervision: who is missed, whom a gateway takes with it, what is told again."""

from mutation.mutant import Edit, Mutant, Seeds, Story, Tests

CHECK_INS = "alertd/daemon/check_ins.py"
RECORDS = "alertd/daemon/device_records.py"
WINDOWS = "alertd/daemon/windows.py"
SPELLING = "alertd/engine/spelling.py"
SPELLED = "        device_id=registry.spelled(DeviceId(str(said.device_id))),\n"
EARS = "alertd/daemon/ears.py"
FLAPPING = "alertd/daemon/flapping.py"
SITES = "alertd/daemon/site_troubles.py"
TROUBLES = "alertd/engine/troubles.py"
TESTS = ("tests/daemon/test_check_ins.py",)
GATEWAYS = ("tests/daemon/test_gateways.py",)
SIDE = "adapters/alertd_adapters/mqtt/side_session.py"
TELEMETRY = ("tests/adapters/mqtt/test_telemetry.py",)
COMING_AND_GOING = ("tests/daemon/test_coming_and_going.py",)

SUPERVISING = (
    Mutant(
        name="supervision: who falls silent is forgotten",
        edits=(
            Edit(
                file=CHECK_INS,
                old="                self._ends.queue(record, now)\n                continue\n            record.silent = True\n            if not record.is_gateway:\n",
                new="                self._ends.queue(record, now)\n                continue\n            record.silent = True\n            if record.is_gateway:\n",
            ),
        ),
        cheap=True,
        by=Seeds(trips=("supervision",)),
    ),
    Mutant(
        name="supervision: a window ends early",
        edits=(
            Edit(
                file=RECORDS,
                old="        anew_us = max(self.last_us, self.resumed_us, resumed_us) + window_us\n",
                new="        anew_us = max(self.last_us, self.resumed_us) + window_us // 4\n",
            ),
        ),
        by=Seeds(trips=("supervision",)),
    ),
    Mutant(
        name="supervision: a gateway's last will is not heeded",
        edits=(
            Edit(
                file=WINDOWS,
                old="            return due_us <= now.boot_us\n        heard",
                new="            return due_us <= now.boot_us and not record.is_gateway\n        heard",
            ),
        ),
        by=Seeds(needs=("link",), trips=("supervision",)),
    ),
    Mutant(
        name="supervision: what hangs below a gateway that is gone is missed one by one",
        edits=(
            Edit(
                file=WINDOWS,
                old="        if self._tree.gone_above(record) is not None:\n            return now.boot_us +",
                new="        if self._tree.gone_above(record) is None and not record.window_us:\n            return now.boot_us +",
            ),
        ),
        by=Story(name="gateway_takes_its_own_with_it"),
    ),
    Mutant(
        name="supervision: back, a gateway's devices have no window anew",
        edits=(
            Edit(
                file=RECORDS,
                old="        self.resumed_us = now.boot_us\n\n    def clock_was_set",
                new="\n    def clock_was_set",
            ),
        ),
        by=Tests(paths=GATEWAYS, names="they have their window anew"),
    ),
    Mutant(
        name="supervision: silence counts while nobody listens",
        edits=(
            Edit(
                file=RECORDS,
                old="        anew_us = max(self.last_us, self.resumed_us, resumed_us) + window_us\n",
                new="        anew_us = max(self.last_us, self.resumed_us) + window_us\n",
            ),
        ),
        by=Tests(paths=TESTS, names="its window began anew when somebody listened again"),
    ),
    Mutant(
        name="supervision: who was missed is forgotten over a restart",
        edits=(
            Edit(
                file=CHECK_INS,
                old="            if trouble.family == SILENT:\n",
                new="            if trouble.family == SILENT and not trouble.members:\n",
            ),
        ),
        by=Tests(paths=TESTS, names="who was missed is missed still"),
    ),
    Mutant(
        name="supervision: a daemon that is restarted often misses nobody",
        edits=(
            Edit(
                file=RECORDS,
                old="        return min(anew_us, max(self.last_us + window_us, now.boot_us + left_us))\n",
                new="        return anew_us if left_us >= 0 else now.boot_us\n",
            ),
        ),
        by=Tests(paths=TESTS, names="ninety hours without a word, and nobody was told"),
    ),
    Mutant(
        name="supervision: what a broker remembers is a sign of life",
        edits=(
            Edit(
                file=CHECK_INS,
                old="            if check_in.alive and not retained:\n",
                new="            if check_in.alive:\n",
            ),
        ),
        by=Tests(paths=GATEWAYS, names="what a broker remembers restarts no window"),
    ),
    Mutant(
        name="supervision: a source that is called otherwise now is waited for",
        edits=(
            Edit(
                file=EARS,
                old="for name in ((source,) if source in sources else sources) if",
                new="for name in ((source,) if source in self._ears else self._ears) if",
            ),
        ),
        by=Tests(paths=TESTS, names="the old name is waited for, and nobody is missed"),
    ),
    Mutant(
        name="supervision: what a bridge says again ends a silence",
        edits=(
            Edit(
                file=CHECK_INS,
                old="        if not record.stamp(check_in, source, self._ears.listened_us(source, now), now):\n            return False\n",
                new="        if not record.stamp(check_in, source, self._ears.listened_us(source, now), now):\n            return True\n",
            ),
        ),
        by=Tests(paths=TESTS, names="each repetition was an end and a new begin"),
    ),
    Mutant(
        name="supervision: a clock that is set back makes what devices say old",
        edits=(
            Edit(
                file=RECORDS,
                old="now.wall_us - ago_us <= self.seen_wall_us <= now.wall_us:",
                new="now.wall_us - ago_us <= self.seen_wall_us:",
            ),
        ),
        by=Tests(paths=TESTS, names="it speaks, and is said to be silent"),
    ),
    Mutant(
        name="supervision: devices are missed before their gateway",
        edits=(
            Edit(
                file=WINDOWS,
                old="            if gateway.last_us >= since_us:\n",
                new="            if gateway.last_us >= record.last_us:\n",
            ),
        ),
        by=Tests(paths=GATEWAYS, names="their silence is the gateway's"),
    ),
    Mutant(
        name="supervision: who moved to another school is missed in the old one for ever",
        edits=(
            Edit(
                file=SITES,
                old="                if known.get(device_id) is record and record.device.site_id == site_id:\n",
                new="                if known.get(device_id) is record:\n",
            ),
        ),
        by=Tests(paths=TESTS, names="its trouble stands for ever where it hung before"),
    ),
    Mutant(
        name="supervision: who comes and goes texts people each time",
        edits=(Edit(file=FLAPPING, old="falls.count < 2:\n", new="falls.count < 2_000_000:\n"),),
        by=Tests(paths=COMING_AND_GOING, names="technicians are texted each time it comes and goes"),
    ),
    Mutant(
        name="supervision: a start forgets who comes and goes",
        edits=(
            Edit(
                file=RECORDS,
                old="for family, each in self.falls.items()},",
                new="for family, each in self.falls.items() if not family},",
            ),
        ),
        by=Tests(paths=COMING_AND_GOING, names="technicians are texted anew with each start of alertd"),
    ),
    Mutant(
        name="supervision: with each start it has to be well for as long again",
        edits=(
            Edit(
                file=FLAPPING,
                old="        back_us = now_us if falls.back_us is None else falls.back_us\n",
                new="        back_us = now_us\n",
            ),
        ),
        by=Tests(paths=COMING_AND_GOING, names="it has been steady for four hours, however often alertd was started"),
    ),
    Mutant(
        name="supervision: a start is a fall of each low battery",
        edits=(
            Edit(
                file=CHECK_INS,
                old="                    self._low.was(record, now.boot_us)\n",
                new="                    self._low.put(record, standing=True, now_us=now.boot_us)\n",
            ),
        ),
        by=Tests(paths=COMING_AND_GOING, names="the battery was changed once, and that is believed at once"),
    ),
    Mutant(
        name="supervision: a gateway that is gone hides who has another way",
        edits=(
            Edit(
                file="alertd/daemon/device_tree.py",
                old="gone_us is not None and record.last_us <= gone_us",
                new="gone_us is not None",
            ),
        ),
        by=Tests(paths=GATEWAYS, names="it was heard a moment ago"),
    ),
    Mutant(
        name="supervision: an acknowledged low battery falls quiet",
        edits=(Edit(file=TROUBLES, old='RESOUNDS_S = {"battery": 14_400}', new="RESOUNDS_S: dict[str, int] = {}"),),
        by=Story(name="low_battery"),
    ),
    Mutant(
        name="supervision: what is over is forgotten before a human knows",
        edits=(
            Edit(
                file=TROUBLES,
                old="    over = replace(trouble, cleared_us=now_us) if trouble.acknowledged_by else replace(trouble, over_us=now_us)\n",
                new="    over = replace(trouble, cleared_us=now_us)\n",
            ),
        ),
        by=Tests(paths=("tests/engine/test_supervision.py",), names="latched until a human acknowledges"),
    ),
    Mutant(
        name="supervision: what waited at the broker brings a gateway back whose last will came",
        edits=(Edit(file=CHECK_INS, old=" or gateway.offline_us is not None", new=""),),
        by=Tests(paths=GATEWAYS, names="what it carried may be older than its last will"),
    ),
    Mutant(
        name="supervision: what a broker remembers ends a silence",
        edits=(Edit(file=CHECK_INS, old="return not (retained and record.window_us)", new="return True"),),
        by=Tests(paths=GATEWAYS, names="its bridge says it now"),
    ),
    Mutant(
        name="supervision: what a broker remembers ends a low battery",
        edits=(
            Edit(
                file=CHECK_INS,
                old="record.not_outdated(check_in, now) if retained else check_in, now)",
                new="check_in, now)",
            ),
        ),
        by=Tests(paths=TESTS, names="the battery is not changed"),
    ),
    Mutant(
        name="tamper: what a broker remembers ends it",
        edits=(
            Edit(file=RECORDS, old="None if ends else battery, whole_again=False)", new="None if ends else battery)"),
        ),
        by=Tests(paths=("tests/daemon/test_tampers.py",), names="the device has said nothing"),
    ),
    Mutant(
        name="tamper: what a broker remembers of long ago begins it",
        edits=(
            Edit(
                file=RECORDS,
                old="battery=None, whole_again=False, opened=False)",
                new="battery=None, whole_again=False)",
            ),
        ),
        by=Tests(paths=("tests/daemon/test_tampers.py",), names="older than what is known"),
    ),
    Mutant(
        name="supervision: a low battery of which the broker told first never ends",
        edits=(Edit(file=RECORDS, old="        if not self.battery_low:  # else", new="        if True:  # else"),),
        by=Tests(paths=TESTS, names="trouble and list say two numbers of one battery"),
    ),
    Mutant(
        name="supervision: a device that spells its address in its own way is missed",
        edits=(Edit(file=SPELLING, old=SPELLED, new="        device_id=said.device_id,\n"),),
        by=Tests(paths=TESTS, names="it speaks, and is missed"),
    ),
    Mutant(
        name="supervision: a trouble keeps the battery's first number",
        edits=(
            Edit(file=CHECK_INS, old="        elif record.battery_pct != before:\n", new="        elif not record:\n"),
        ),
        by=Tests(paths=TESTS, names="trouble and list say two numbers of one battery"),
    ),
    Mutant(
        name="tamper: what a device says of its case in its telemetry is passed over",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/press_json.py",
                old='        opened=fields.get("tamper") is True,\n',
                new="",
            ),
        ),
        by=Story(name="device_is_opened"),
    ),
    Mutant(
        name="tamper: the list of devices does not show it",
        edits=(Edit(file=RECORDS, old="behind=behind, tampered=tampered\n", new="behind=behind, tampered=not self\n"),),
        by=Tests(paths=("tests/daemon/test_tampers.py",), names="the list says nothing of it"),
    ),
    Mutant(
        name="supervision: whatever a device says counts as pressed",
        edits=(Edit(file=RECORDS, old="not check_in.actions or any(", new="check_in.pressed or any("),),
        by=Tests(paths=TESTS, names="nobody pressed it, or somebody did"),
    ),
    Mutant(
        name="supervision: what a device said an hour ago brings back its gateway",
        edits=(
            Edit(
                file=CHECK_INS,
                old="if check_in.heard_by is not None and check_in.seen_us is None:",
                new="if check_in.heard_by is not None:",
            ),
        ),
        by=Tests(paths=GATEWAYS, names="heard by the gateway before that was gone"),
    ),
    Mutant(
        name="supervision: what hangs below a gateway is missed before its last will is believed",
        edits=(
            Edit(
                file=WINDOWS,
                old="return gateway.offline_us + round(OFFLINE_S * 1_000_000) + SLACK_US",
                new="return now.boot_us",
            ),
        ),
        by=Tests(paths=GATEWAYS, names="two troubles for one gateway"),
    ),
    Mutant(
        name="supervision: a press stays in the future when the clock is set back",
        edits=(
            Edit(
                file=RECORDS,
                old="        self.pressed_wall_us = min(self.pressed_wall_us, now.wall_us)\n",
                new="",
            ),
        ),
        by=Tests(paths=TESTS, names="pressed in the future"),
    ),
    Mutant(
        name="supervision: what an earlier life knew of QoS is believed before what this one heard",
        edits=(Edit(file=RECORDS, old="self.qos = max(self.qos or 0, kept.qos)", new="self.qos = kept.qos"),),
        by=Tests(paths=TESTS, names="came at QoS 1"),
    ),
    Mutant(
        name="supervision: a last will that was lost on its way is never asked for again",
        edits=(Edit(file=SIDE, old="ASK_AGAIN_S = (15.0, 60.0, 180.0, 300.0)", new="ASK_AGAIN_S = ()"),),
        by=Tests(paths=TELEMETRY, names="who is there again is said to be gone"),
    ),
    Mutant(
        name="supervision: what a broker keeps is newer than what a device has said since",
        edits=(Edit(file=SIDE, old=" and each.device_id not in self._known]", new="]"),),
        by=Tests(paths=TELEMETRY, names="who is there is said to be gone"),
    ),
    Mutant(
        name="supervision: what was heard before a reconnect is newer than what a broker keeps",
        edits=(Edit(file=SIDE, old="        self._known.clear()\n", new=""),),
        by=Tests(paths=TELEMETRY, names="who is gone is missed by nobody"),
    ),
    Mutant(
        name="supervision: a broker that hangs up on a second question is asked again and again",
        edits=(Edit(file=SIDE, old="                self._hung_up_again += 1\n", new=""),),
        by=Tests(paths=TELEMETRY, names="the side session is lost again and again"),
    ),
    Mutant(
        name="device test: who watches it waits behind machinery",
        edits=(Edit(file="alertd/daemon/waiting.py", old="        | DeviceTestWatched\n", new=""),),
        by=Tests(paths=("tests/daemon/test_waiting.py",), names="waits behind machinery"),
    ),
    Mutant(
        name="supervision: a key is tested by a press of another key of its panel",
        edits=(
            Edit(
                file="adapters/alertd_adapters/decoders/mapping/signs.py",
                old='        mine = [match for match in pressed if bound.id_of("", match.button) == row]\n',
                new="        mine = pressed if row == ids[0] else []\n",
            ),
        ),
        by=Tests(
            paths=("tests/adapters/decoders/mapping/test_signs.py",), names="a key that nobody pressed counts as tested"
        ),
    ),
    Mutant(
        name="supervision: a source is not told what an earlier process left standing",
        edits=(
            Edit(
                file="alertd/daemon/daemon.py",
                old="            if isinstance(source, Resuming):\n",
                new="            if isinstance(source, Resuming) and not standing:\n",
            ),
        ),
        by=Story(name="end_of_a_trouble_lost_with_the_power"),
    ),
    Mutant(
        name="supervision: what stood before this run is never ended",
        edits=(
            Edit(
                file="adapters/alertd_adapters/mqtt/standing_troubles.py",
                old=" is not None or key in self._before:\n",
                new=" is not None:\n",
            ),
        ),
        by=Tests(paths=("tests/adapters/mqtt/test_troubles.py",), names="cries wolf"),
    ),
)
