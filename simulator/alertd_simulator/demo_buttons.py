"""What the user of the live demo can press, at the school on stage.

Owns the keys. Presses and orders go where everybody's go: over the broker, and to alertd's console.
"""

from alertd.model.site import Site
from alertd_simulator.demo_daemon import RunningDaemon
from alertd_simulator.demo_story import Story

CLASSES = {"1": "staff_assist", "2": "lockdown", "3": "medical", "4": "vape"}


class Buttons:
    def __init__(self, story: Story, daemon: RunningDaemon) -> None:
        self._story = story
        self._daemon = daemon
        self._pressed: dict[tuple[str, str], int] = {}
        """School and class -> times: each time another room."""

    async def press(self, key: str) -> str:
        """What it did, in words; empty for a key that means nothing. Raises `RuntimeError` if it cannot be done."""
        story, site = self._story, self._story.active
        match key:
            case _ if key in CLASSES:
                return await self._button(CLASSES[key], site)
            case "d":
                part = await story.begin_drill(self._daemon, site)
                self._pressed[site.id, "lockdown"] = 0
                return f"A drill at {site.name}: 2 presses {part.where}, which takes part. Any other press is real."
            case "c":
                closed = await story.close(self._daemon, site)
                return f"{closed} closed at {site.name}." if closed else f"Nothing is open at {site.name}."
            case "s":
                stages = story.school.stages
                at = next((n for n, each in enumerate(stages) if each.id == site.id), 0)
                story.active = stages[(at + 1) % len(stages)]
                return f"You are at {story.active.name} now."
            case _:
                return ""

    async def _button(self, incident_class: str, site: Site) -> str:
        number = self._pressed.get((site.id, incident_class), 0)
        part = await self._story.press(incident_class, number, site)
        self._pressed[site.id, incident_class] = number + 1
        return f"{part.happens} of {site.name}. Watch the phones."
