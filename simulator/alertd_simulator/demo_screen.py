"""The demo on a terminal: both schools with their phones and loudspeakers, the dispatcher's screen, what happened when.

Owns layout and words for a school principal, who has never seen a log. Must not decide or wait for anything.
"""

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.layout import Layout
from rich.panel import Panel
from rich.segment import Segment
from rich.text import Text as Words

from alertd.model.site import Site
from alertd_simulator.carrier_json import CallRecord
from alertd_simulator.demo_hops import WITNESSES, Hop, Reached, Witness
from alertd_simulator.demo_loudspeakers import Room
from alertd_simulator.demo_story import Story
from alertd_simulator.dispatch_center import DispatchCenter, Message
from alertd_simulator.people import Habit, Responder

PHONES_MAX = 6
PHONE_COLUMNS = 24
"""A phone is no narrower: a text in it could not be read."""
ROWS_OF_TWO = 36
"""A terminal with fewer rows shows one school at a time: the one where something happened last."""
TEXTS_SHOWN = 3
MESSAGES_SHOWN = 12
LINES_SHOWN = 40
SAYINGS_SHOWN = 6
NARRATION = {
    Hop.PRESSED: "A button is pressed. Texts, calls, loudspeakers and dispatch leave at once; none waits for another.",
    Hop.KEY_COUNTED: "Somebody is going: the escalation pauses. Dispatch stays told.",
    Hop.SECOND_PRESSED: "A second room presses. That is news: everyone reads it, and nobody has answered it yet.",
    Hop.ESCALATED: "Nobody answers for the second room: the next people are called.",
    Hop.ANSWERED: "An answer by text counts as well.",
    Hop.DRILL_BEGUN: "Now a drill at the other school. Only the first press of one button is part of it.",
    Hop.DRILL_PRESSED: "It is pressed. Everything says that it is a drill; dispatch hears nothing.",
    Hop.REAL_PRESSED: "Another room presses in the middle of it. That is real: watch the loudspeakers and dispatch.",
}
"""What the audience is told, from each of these hops on."""
INVITATION = "1 assist  2 lockdown  3 medical  4 vape  d drill  c close  s other school  q quit"


class Screen:
    """`render` draws the moment. `keys`: the user may press buttons."""

    def __init__(self, story: Story, center: DispatchCenter, *, keys: bool) -> None:
        self._story = story
        self._center = center
        self._keys = keys
        self.note = ""
        story.hops.on_hop.append(self._narrate)

    def _narrate(self, reached: Reached) -> None:
        self.note = NARRATION.get(reached.hop, self.note)

    def render(self, columns: int, rows: int) -> Layout:
        """The moment, on a terminal of this size."""
        screen = Layout()
        shown = self._story.school.stages[:2] if rows >= ROWS_OF_TWO else (self._story.active,)
        screen.split_column(
            Layout(self._head(), size=4),
            *(self._school(site, columns) for site in shown),
            Layout(name="below", ratio=1, minimum_size=7),
        )
        screen["below"].split_row(Layout(self._timeline(), ratio=2), Layout(self._dispatcher(), ratio=1))
        return screen

    def _head(self) -> Panel:
        title = Words("A demonstration. Nobody real is texted or called.", style="bold", no_wrap=True)
        note = Words(self.note or "…", style="cyan", no_wrap=True, overflow="ellipsis")
        keys = INVITATION if self._keys and self._story.is_over else None
        return Panel(Group(title, note), subtitle=keys, padding=(0, 1))

    # --- one school

    def _school(self, site: Site, columns: int) -> Layout:
        rooms = [room for room in self._story.rooms if room.zone.name in self._story.school.zones_of(site)]
        panes = max(2, min(PHONES_MAX, columns // PHONE_COLUMNS))
        phones = self._phones(site, panes - bool(rooms))
        row = Layout(name=f"{site.id} row")
        row.split_row(*(Layout(self._phone(each)) for each in phones), *(Layout(_loudspeaker(r)) for r in rooms[:1]))
        school = Layout(name=site.id, ratio=1, minimum_size=7)
        school.split_column(Layout(self._standing(site), size=1), row)
        return school

    def _standing(self, site: Site) -> Words:
        found = [i for i in self._story.incidents if i["site"] == site.id]
        line = Words(f" {site.name}", style="bold", no_wrap=True, overflow="ellipsis")
        if not found:
            line.append("  quiet", style="green")
        for incident in found:
            line.append(f"  {incident['headline']}", style="yellow" if incident["mode"] == "drill" else "bold red")
        if self._keys and self._story.is_over and site.id == self._story.active.id:
            line.append("  ◀ you press here", style="cyan")
        return line

    def _phones(self, site: Site, most: int) -> list[Responder]:
        """Phones of the school that have something to show, the most telling first."""
        people = self._story.school.registry.people.values()
        numbers = {e.address for person in people if site.id in person.sites for e in person.endpoints}
        here = [each for each in self._story.responders if each.number in numbers]
        return sorted(here, key=lambda each: (-self._weight(each), each.name))[:most]

    def _weight(self, responder: Responder) -> int:
        """Who answered is shown before one who does not hear it, those asked before those told to hide."""
        called = self._call(responder)
        answered = any(line.mine for line in responder.screen) or bool(called and called.keys)
        ignores = responder.habit is Habit.SILENT and bool(responder.screen)
        asked = any("Reply" in body for body in responder.texts())
        return 8 * answered + 4 * ignores + 2 * asked + bool(responder.screen)

    def _call(self, responder: Responder) -> CallRecord | None:
        calls = self._story.calls_to(responder.number)
        return calls[-1] if calls else None

    def _phone(self, responder: Responder) -> Panel:
        lines: list[Words] = []
        if call := self._call(responder):
            lines += [_call_line(call), Words("")]
        for line in reversed(responder.screen[-TEXTS_SHOWN:]):  # the newest on top: what does not fit is old
            style, justify = ("bold green", "right") if line.mine else ("", "left")
            lines += [Words(line.body, style=style, justify=justify), Words("")]  # type: ignore[arg-type]
        answers = any(line.mine for line in responder.screen) or bool(call and call.keys)
        silent = responder.habit is Habit.SILENT and bool(responder.screen) and not answers
        border = "green" if answers else "yellow" if silent else "white"
        hint = "does not hear it" if silent else "answered" if answers else ""
        return Panel(
            Group(*lines) if lines else Words("…", style="dim"),
            title=f"{responder.name} …{responder.number[-4:]}", subtitle=hint, border_style=border,
        )  # fmt: skip

    # --- what all of them share

    def _timeline(self) -> Panel:
        return Panel(Tail(_lines(self._story)), title="What happened", title_align="left")

    def _dispatcher(self) -> Panel:
        messages = [m for m in self._center.messages.values() if m.type != "heartbeat"]
        lines = [_dispatch_line(message, self._center) for message in messages[-MESSAGES_SHOWN:]]
        return Panel(
            Tail(lines) if lines else Words("quiet", style="dim"), title="Dispatcher's screen", border_style="red"
        )


class Tail:
    """Lines of which the newest stay visible: what does not fit is cut at the top."""

    def __init__(self, lines: Sequence[Words]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = console.render_lines(Group(*self._lines), options.update(height=None), pad=False)
        for row in rows[-options.height :] if options.height else rows:
            yield from row
            yield Segment.line()


def _call_line(call: CallRecord) -> Words:
    """What the phone does: rings, speaks, or what was pressed."""
    if call.keys:
        said = f" “{call.heard[-1]}”" if call.heard else ""
        return Words(f"☎ pressed {' '.join(call.keys)}{said}", style="bold green")
    if call.status == "in-progress":
        return Words(f"☎ “{call.heard[-1]}”" if call.heard else "☎ taken, it speaks", style="bold cyan")
    if call.is_live:
        return Words("☎ ringing", style="bold yellow")
    return Words("☎ a call, not taken" if not call.taken_by else "☎ a call", style="dim")


def _loudspeaker(room: Room) -> Panel:
    """What it says, the newest last: only what a receiver knows again, never what somebody meant to send."""
    lines = [Words(f"“{each.words}”") for each in room.heard if each.words][-SAYINGS_SHOWN:]
    if room.is_speaking:
        lines.append(Words(f"▶ speaking, {room.sayings[-1].seconds:.0f} s", style="bold magenta"))
    elif room.sayings:
        last = room.sayings[-1]
        lines.append(Words(f"silent; {last.packets} packets, {last.lost} lost", style="dim"))
    border = "magenta" if room.is_speaking else "white"
    return Panel(
        Tail(lines) if lines else Words("silent", style="dim"), title=f"Loudspeakers {room.zone.name}",
        border_style=border,
    )  # fmt: skip


def _lines(story: Story) -> list[Words]:
    """Hops of the story and what the user did, as they came."""
    found = [(each.at_us, _hop_words(each)) for each in story.hops.reached.values()]
    found += [(at_us, Words(words)) for at_us, words in story.afterwards]
    zero_us = story.hops.reached[Hop.PRESSED].at_us if Hop.PRESSED in story.hops.reached else 0
    lines = []
    for at_us, words in sorted(found, key=lambda each: each[0])[-LINES_SHOWN:]:
        seconds = (at_us - zero_us) / 1_000_000
        line = Words(f"{seconds:7.2f} s  ", style="cyan", no_wrap=True, overflow="ellipsis")
        lines.append(line.append_text(words))
    return lines


def _hop_words(reached: Reached) -> Words:
    """What only the simulation saw is dim."""
    seen_only = WITNESSES[reached.hop] is Witness.SIMULATION
    line = Words(str(reached.hop), style="dim" if seen_only else "")
    if reached.detail and not reached.text:
        line.append(f": {reached.detail}", style="dim")
    return line


def _dispatch_line(message: Message, center: DispatchCenter) -> Words:
    """A new incident with the number that it got; what came of it later stands below."""
    if message.type != "new":
        return Words(f"  {message.type.replace('_', ' ')}: {message.headline}", style="dim")
    line = Words(message.headline, style="bold")
    if call := center.calls.get(message.incident_id):
        line.append(f"  our call {call}", style="green")
    return line
