"""The demo on a terminal: the phones with the very texts, the dispatcher's screen, and what happened when.

Owns layout and words for a school principal, who has never seen a log. Must not decide or wait for anything.
"""

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.layout import Layout
from rich.panel import Panel
from rich.segment import Segment
from rich.text import Text as Words

from alertd_simulator.demo_hops import WITNESSES, Hop, Reached, Witness
from alertd_simulator.demo_story import Story
from alertd_simulator.dispatch_center import DispatchCenter, Message
from alertd_simulator.people import Habit, Responder

PHONES_MAX = 6
PHONE_COLUMNS = 24
"""A phone is no narrower: a text in it could not be read."""
TEXTS_SHOWN = 3
MESSAGES_SHOWN = 6
LINES_SHOWN = 30
INVITATION = "Press 1 staff assist · 2 lockdown · 3 medical · q quit"


class Screen:
    """`render` draws the moment. `keys`: the user may press buttons."""

    def __init__(self, story: Story, center: DispatchCenter, *, keys: bool) -> None:
        self._story = story
        self._center = center
        self._keys = keys
        self.note = ""

    def render(self, columns: int) -> Layout:
        """The moment, on a terminal of so many columns."""
        screen = Layout()
        screen.split_column(
            Layout(self._head(), size=4), Layout(name="phones", ratio=3), Layout(name="below", ratio=3, minimum_size=8)
        )
        screen["phones"].split_row(*(Layout(_phone(each)) for each in self._shown(columns)))
        screen["below"].split_row(Layout(self._timeline(), ratio=2), Layout(self._dispatcher(), ratio=1))
        return screen

    def _head(self) -> Panel:
        school = self._story.school
        title = Words(f"{school.site.name}: a demonstration. Nobody real is called or texted.", style="bold")
        return Panel(Group(title, Words(self.note or (INVITATION if self._keys else ""), style="cyan")))

    def _shown(self, columns: int) -> list[Responder]:
        """Phones that have something to show, the most telling first."""
        most = max(1, min(PHONES_MAX, columns // PHONE_COLUMNS))
        return sorted(self._story.responders, key=lambda each: (-_weight(each), each.name))[:most]

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


def _weight(responder: Responder) -> int:
    """A person who answered is shown before one who does not hear it, responders before staff."""
    answered = any(line.mine for line in responder.screen)
    ignores = responder.habit is Habit.SILENT and bool(responder.screen)
    asked = any("Reply" in body for body in responder.texts())
    return 8 * answered + 4 * ignores + 2 * asked + bool(responder.screen)


def _phone(responder: Responder) -> Panel:
    lines: list[Words] = []
    for line in reversed(responder.screen[-TEXTS_SHOWN:]):  # the newest on top: what does not fit is old
        lines.append(
            Words(line.body, style="bold green" if line.mine else "", justify="right" if line.mine else "left")
        )
        lines.append(Words(""))
    answers = any(line.mine for line in responder.screen)
    silent = responder.habit is Habit.SILENT and bool(responder.screen)
    border = "green" if answers else "yellow" if silent else "white"
    hint = "does not hear it" if silent else "answered" if answers else ""
    return Panel(
        Group(*lines) if lines else Words("…", style="dim"),
        title=f"{responder.name} …{responder.number[-4:]}", subtitle=hint, border_style=border,
    )  # fmt: skip


def _lines(story: Story) -> list[Words]:
    """Hops of the story, then what the user did."""
    hops = story.hops
    found = [(hops.ms(each), _hop_words(each)) for each in hops.reached.values()]
    if Hop.PRESSED in hops.reached:
        zero_us = hops.reached[Hop.PRESSED].at_us
        found += [((at_us - zero_us) / 1000, Words(words)) for at_us, words in story.afterwards]
    lines = []
    for ms, words in sorted(found, key=lambda each: each[0])[-LINES_SHOWN:]:
        line = Words(f"{ms / 1000:7.2f} s  ", style="cyan", no_wrap=True, overflow="ellipsis")
        lines.append(line.append_text(words))
    return lines


def _hop_words(reached: Reached) -> Words:
    """What only the simulation saw is dim."""
    words = str(reached.hop)
    seen_only = WITNESSES[reached.hop] is Witness.SIMULATION
    line = Words(words[0].upper() + words[1:], style="dim" if seen_only else "")
    if reached.detail and not reached.text:
        line.append(f": {reached.detail}", style="dim")
    return line


def _dispatch_line(message: Message, center: DispatchCenter) -> Words:
    call = center.calls.get(message.incident_id)
    line = Words(message.headline, style="bold" if message.type == "new" else "")
    if call:
        line.append(f"\n  our call {call}", style="green")
    return line
