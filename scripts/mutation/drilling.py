# ruff: noqa: E501 - what is changed is quoted as it stands in the source
"""Mutants of drills: what is no drill and is taken for one, what is not marked, not withdrawn, not ended, not told.

Caught in stories of tests/scenarios/: there a drill is pressed for, stopped, and left to run out on purpose.
"""

from mutation.mutant import Edit, Mutant, Story

DRILLS = "alertd/engine/drills.py"
NOTIFICATION = "alertd/model/notification.py"

DRILLING = (
    Mutant(
        name="a drill reaches dispatch",
        edits=(
            Edit(
                file="alertd/engine/dispatch_centers.py",
                old="        if incident.mode is Mode.DRILL and not destination.endpoint.accepts_exercise:\n",
                new="        if False:\n",
            ),
            Edit(
                file=NOTIFICATION, old="    if mode_forbids(notification, now.incident_mode):\n", new="    if False:\n"
            ),
            Edit(
                file="adapters/alertd_adapters/webhook/channel.py",
                old="        if notification.mode is Mode.DRILL and",
                new="        if False and",
            ),
        ),
        cheap=True,
        by=Story(name="drill", trips=("mode",)),
    ),
    Mutant(
        name="the press of a device that takes no part is taken for a drill",
        edits=(Edit(file=DRILLS, old="    if device.id not in drill.device_ids:\n", new="    if False:\n"),),
        cheap=True,
        by=Story(name="drill_becomes_real", trips=("only what is drilled",)),
    ),
    Mutant(
        name="a participant who presses again is taken for a drill",
        edits=(
            Edit(
                file=DRILLS,
                old="    if before is not None and not _is_same_gesture(device, gesture, before):\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="drill_pressed_again", trips=("only what is drilled",)),
    ),
    Mutant(
        name="a graver gesture than is drilled is taken for a drill",
        edits=(
            Edit(
                file=DRILLS,
                old="    if not _is_drilled(drill, device, gesture.incident_class):\n",
                new="    if False:\n",
            ),
            Edit(
                file=DRILLS,
                old="    if before is not None and not _is_same_gesture(device, gesture, before):\n",
                new="    if False:\n",
            ),
        ),
        by=Story(name="drill_of_staff_assist_overdone", trips=("only what is drilled",)),
    ),
    Mutant(
        name="texts of a drill are not marked",
        edits=(
            Edit(
                file="alertd/engine/telling.py",
                old="        return partial(wording.marked, template, before=wording.DRILL, after=wording.DRILL)\n",
                new="        return partial(wording.render, template)\n",
            ),
        ),
        cheap=True,
        by=Story(name="drill", trips=("drill marks",)),
    ),
    Mutant(
        name="what a drill had still to say is said after it was real",
        edits=(
            Edit(file=DRILLS, old="    d.withdraw_drill(because)\n", new=""),
            Edit(
                file=NOTIFICATION,
                old="    if notification.mode is Mode.DRILL and not now.drill_running and notification.kind not in OUTLIVES_DRILL:\n",
                new="    if False:\n",
            ),
            Edit(
                file="alertd/daemon/dispatch.py",
                old="        return n.mode is Mode.DRILL and n.kind not in OUTLIVES_DRILL and n.site_id in self._drills_over\n",
                new="        return False\n",
            ),
            Edit(
                file=DRILLS,
                old="        if current is not None and current.is_open and current.mode is Mode.DRILL:\n",
                new="        if current is None:\n",
            ),
            Edit(
                file=DRILLS,
                old="    if incident.mode is not Mode.DRILL or d.drill is not None:\n        return False\n",
                new="    return False\n",
            ),
        ),
        by=Story(name="drill_becomes_real", trips=("real after a drill",)),
    ),
    Mutant(
        name="those told of a drill are not told that it was real",
        edits=(
            Edit(
                file=DRILLS,
                old="    d.real_for = frozenset(t.person_id for t in told)\n",
                new="    assert told is not None\n",
            ),
        ),
        cheap=True,
        by=Story(name="drill_becomes_real", trips=("real after a drill",)),
    ),
    Mutant(
        name="a drill that survived a restart never ends",
        edits=(
            Edit(
                file=DRILLS,
                old="    if drill is None or drill.id != timer.detail:\n",
                new="    if drill is None or drill.id != timer.detail or drill.restarts:\n",
            ),
        ),
        by=Story(name="drill_survives_a_crash", trips=("drill ends",)),
    ),
    Mutant(
        name="a restart in a drill is silent",
        edits=(Edit(file=DRILLS, old="    _tell_told(d, drill, Kind.DRILL_GOES_ON)\n", new=""),),
        cheap=True,
        by=Story(name="drill_survives_a_crash", trips=("drill ends",)),
    ),
    Mutant(
        name="nobody hears that a drill is over",
        edits=(Edit(file=DRILLS, old="    _tell_told(d, drill, Kind.DRILL_OVER, why=words)\n", new=""),),
        cheap=True,
        by=Story(name="drill_runs_out", trips=("drill ends",)),
    ),
)
