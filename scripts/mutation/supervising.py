# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of supervision: who is missed, whom a gateway takes with it, what is told again."""

from mutation.mutant import Edit, Mutant, Seeds, Story, Tests

CHECK_INS = "alertd/daemon/check_ins.py"
RECORDS = "alertd/daemon/device_records.py"
TROUBLES = "alertd/engine/troubles.py"
TESTS = ("tests/daemon/test_check_ins.py",)

SUPERVISING = (
    Mutant(
        name="supervision: who falls silent is forgotten",
        edits=(
            Edit(
                file=CHECK_INS,
                old="            record.silent = True\n            if not record.is_gateway:\n                self._silent.put(",
                new="            record.silent = True\n            if record.is_gateway:\n                self._silent.put(",
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
                file=CHECK_INS,
                old="            if record.is_gateway:\n                record.silent = True\n            elif",
                new="            if record.is_gateway:\n                pass\n            elif",
            ),
        ),
        by=Seeds(needs=("link",), trips=("supervision",)),
    ),
    Mutant(
        name="supervision: what hangs below a gateway that is gone is missed one by one",
        edits=(
            Edit(
                file=CHECK_INS,
                old="        if self._tree.gone_above(record) is not None:\n            return now.boot_us +",
                new="        if self._tree.gone_above(record) is None and not record.window_us:\n            return now.boot_us +",
            ),
        ),
        by=Story(name="gateway_takes_its_own_with_it"),
    ),
    Mutant(
        name="supervision: back, a gateway's devices have no window anew",
        edits=(Edit(file=CHECK_INS, old="            record.resumed_us = now.boot_us\n", new="            pass\n"),),
        by=Tests(paths=TESTS, names="they have their window anew"),
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
        by=Tests(paths=TESTS, names="what a broker remembers restarts no window"),
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
)
