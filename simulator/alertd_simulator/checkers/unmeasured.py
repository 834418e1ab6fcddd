"""What nobody could measure is written down as that, or a drill's report would show it as a figure.

Owns two judgements: when alertd was away, and which presses waited at the broker. Must never ask the report itself.
"""

from alertd.model.events import DrillFound, Pressed
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.world.happenings import Committed, Crashed, Happening

SECOND_US = 1_000_000


class Unmeasured(Checker):
    name = "unmeasured"
    docs = (
        "Promise 5: a start during a drill is written down with its time, later than the crash before it and no later "
        "than the commit that says so; a press that may have waited at the broker, of a device without a clock, says "
        "since when it may have been made, and no other press does."
    )
    sees = (Consequence, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._gone_us: int | None = None
        """What the machine's clock showed at the last crash; `None`: it was set since, or nothing has crashed."""
        self._gone_at_us = 0
        self._written: set[str] = set()
        """Presses that an incident on the disk has. A copy that the broker gives again later is only counted there."""
        self._held: dict[str, int] = {}
        """How often an incident that only memory holds has each press. A copy is only counted there, too, until a
        clock is set: the same press comes once more then."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Crashed(at_us=at_us, power=power):
                if power:
                    self._held.clear()
                self._gone_at_us, self._gone_us = at_us, self.scene.conditions.wall_us(at_us)
            case Committed(event=DrillFound()):
                self._started(happening)
            case Committed(event=Pressed() as event):
                self._pressed(happening, event)
            case _:
                pass

    def _started(self, committed: Committed) -> None:
        decision = committed.decision
        if decision.cause is None:  # known already
            return
        said = [int(entry.data["started_us"]) for entry in decision.entries if "started_us" in entry.data]
        if not said:
            self.accuse(committed.at_us, "alertd was restarted in a drill, and nothing says when")
            return
        was_set = self.scene.conditions.last_step_us >= self._gone_at_us
        if self._gone_us is None or was_set:
            return
        latest_us = self.scene.conditions.wall_us(committed.at_us)
        if not all(self._gone_us <= started_us <= latest_us for started_us in said):
            off_s = (said[0] - latest_us) / SECOND_US
            self.accuse(committed.at_us, f"alertd says that it was started {off_s:+.1f} s from now, and was not")

    def _pressed(self, committed: Committed, event: Pressed) -> None:
        waited = event.backlog and event.signal.pressed_us is None
        for incident in committed.decision.incidents:
            # What memory alone held comes again after a clock was set: twice the same press, the newest is this one.
            times = [each for each in incident.presses if each.id == event.cause]
            if not times or event.cause in self._written or len(times) <= self._held.get(event.cause, 0):
                continue
            press = times[-1]
            if (press.waited_since_us is not None) is not waited:
                how = "waited at the broker, and nothing says so" if waited else "is said to have waited"
                self.accuse(committed.at_us, f"the press of {press.device_id} ({incident.headline}) {how}")
            self._held[event.cause] = len(times)
        if committed.durable:  # what memory held was carried to the disk before the disk took anything
            self._written.update(self._held)
            self._held.clear()
