"""`channels.toml`: what the daemon plugs in (sources, channels) and the machines it tells (destinations).

A section's own keys belong to its plugin, which checks them when it builds; here only what the engine must know.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from msgspec import Struct

from alertd.config.credentials import leaks
from alertd.config.problems import Problem
from alertd.config.reading import Reading, Thing
from alertd.config.toml_files import Source, Table
from alertd.config.toml_lines import Path
from alertd.model.ids import SiteId
from alertd.model.people import Destination, Endpoint
from alertd.model.registry import ChannelRules
from alertd.ports import SettingsError

FILE = "channels.toml"

DOCS = {"mqtt": "broker.md"}
"""Where settings of a plugin stand, unless in configuration.md."""

TEXT_KINDS = ("sms",)
"""Channels whose texts must fit one GSM-7 segment."""

OURS = ("kind", "text_limit", "notices")
"""Keys of a section that are the core's business, not its plugin's."""

PHONE_KINDS = ("sms", "voice")
"""Channels that reach a person's phone."""

NEVER_DIAL_KINDS = ("webhook", "email", "mqtt", "push", "rtp")
"""Channels whose addresses no telephone network ever sees. Of any other we do not know it."""

TEXT_LIMIT_MAX = 160
"""GSM-7 characters of one text message (req 53): longer ones are split, reordered and lost by halves."""


class Section(Struct, frozen=True, kw_only=True, eq=False):
    """One `[sources.NAME]` or `[channels.NAME]`: which plugin, and the settings it gets.

    Equal if they would build the same: a section that only moved in its file need not be built again."""

    table: str
    name: str
    plugin: str
    settings: Mapping[str, Any]
    file: str
    line: int
    lines: Mapping[str, int]
    """Line of each key, nested ones as plugins name them: "triggers[0].topic", "destinations.county.url"."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Section) and self._content == other._content

    def __ne__(self, other: object) -> bool:
        """Not Python's own opposite of the above: `Struct` brings one that compares identities."""
        return not self == other

    def __hash__(self) -> int:
        return hash((self.table, self.name))

    @property
    def _content(self) -> tuple[str, str, str, Mapping[str, Any]]:
        return self.table, self.name, self.plugin, self.settings

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Names of all secrets that the settings ask for, however deep."""
        return tuple(dict.fromkeys(_secret_names(self.settings)))

    def line_of(self, key: str) -> int:
        """The line of a key; of what is around it, if the key is missing."""
        while key and key not in self.lines:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return self.lines.get(key, self.line)

    def problem(self, error: SettingsError) -> Problem:
        """What a plugin found wrong with its settings, as a problem of this file."""
        return Problem(
            file=self.file,
            line=self.line_of(error.key),
            key=f"{self.table}.{self.name}.{error.key}" if error.key else f"{self.table}.{self.name}",
            message=str(error),
            remedy=f"see the settings of plugin {self.plugin} in docs/{DOCS.get(self.plugin, 'configuration.md')}",
        )


def read_sections(root: Table, reading: Reading) -> Iterator[Section]:
    """Sources and channels. Secrets in clear are refused here, whatever the plugin."""
    for table_name, thing in (("sources", Thing.SOURCE), ("channels", Thing.CHANNEL)):
        for name, table in root.table(table_name).named_tables():
            reading.declare(thing, name, table.source.file, table.line)
            plugin = table.required_text("plugin", "mqtt" if thing is Thing.SOURCE else "sms_twilio")
            settings = {key: value for key, value in table.raw().items() if key not in ("plugin", *OURS)}
            _refuse_secrets(settings, table.source, table)
            yield Section(
                table=table_name,
                name=name,
                plugin=plugin,
                settings=settings,
                file=table.source.file,
                line=table.line,
                lines=dict(_lines(settings, table.source, table.path, "")),
            )


def read_channel_rules(root: Table) -> Iterator[ChannelRules]:
    """What the engine knows of each channel. `kind` is the plugin's name up to the first underscore, unless written."""
    for name, table in root.table("channels").named_tables():
        plugin = table.text("plugin") or ""
        own_kind = plugin.partition("_")[0]
        kind = table.text("kind") or own_kind
        if own_kind in PHONE_KINDS and kind != own_kind:  # what holds for phones would not hold for it
            table.refuse("kind", f"plugin {plugin} is of kind {own_kind}, not {kind}", "remove this line")
            kind = own_kind
        if kind in TEXT_KINDS:
            limit = table.integer("text_limit", TEXT_LIMIT_MAX, least=1, most=TEXT_LIMIT_MAX)
        else:
            limit = table.integer("text_limit", 0, least=0, most=1_600)
        yield ChannelRules(
            name=name,
            kind=kind,
            text_limit=limit,
            announcements=_announcements(table, ""),
            drill_announcements=_announcements(table, "drill_"),
            notices=table.boolean("notices", default=False),
        )


def _announcements(table: Table, prefix: str) -> dict[str, str]:
    """What a PA can say, and the words that people hear; the rest of each is its plugin's business. A recording without
    words is called by its file: nobody can read what it says. `prefix`: "drill_" for what is said in a drill instead.
    """
    given = table.raw().get("announcements")
    found: dict[str, str] = {}
    for name, announcement in given.items() if isinstance(given, dict) else ():
        if isinstance(announcement, dict):
            words = announcement.get(f"{prefix}words")
            recording = announcement.get(f"{prefix}recording")
            if isinstance(words, str):
                found[name] = " ".join(words.split())
            elif recording is not None or not prefix:
                found[name] = f"(recording {recording})"
    return found


def read_destinations(
    root: Table, reading: Reading, channels: Mapping[str, ChannelRules], reachable_at: str | None
) -> Iterator[Destination]:
    """Dispatch centres and other webhooks: a dispatch centre unless it says `dispatch = false` (promise 3).

    `reachable_at`: our public base URL, if we listen: where a centre reports what it does."""
    for name, table in root.table("destinations").named_tables():
        reading.declare(Thing.DESTINATION, name, table.source.file, table.line)
        channel = table.required_text("channel", "dispatch-webhook")
        reading.known(Thing.CHANNEL, channel, table, "channel")
        if not table.has("sites"):
            table.refuse("sites", "is missing", 'add sites = ["…"]: the sites that this destination serves')
        sites = reading.all_known(Thing.SITE, (site for _, site in table.texts("sites")), table, "sites")
        endpoint = Endpoint(
            channel=channel,
            address=_address(table, name, channels.get(channel), reading),
            dispatch=table.boolean("dispatch", default=True),
            accepts_exercise=table.boolean("accepts_exercise", default=False),
        )
        accept_within_s = table.integer("accept_within_s", 60, least=5, most=600)
        table.done()
        yield Destination(
            id=name,
            site_ids=tuple(SiteId(site) for site in sites),
            endpoint=endpoint,
            reply_url=_reply_url(reachable_at, channel, endpoint.address) if reachable_at else None,
            accept_within_s=accept_within_s,
        )


def _address(table: Table, name: str, channel: ChannelRules | None, reading: Reading) -> str:
    """Where a machine is reached. Never an emergency number, by whatever channel might dial it."""
    address = table.text("address") or name
    if channel is None or channel.kind in NEVER_DIAL_KINDS:
        return address
    if channel.kind in TEXT_KINDS:
        return reading.phone(address, table, "address") or address
    reading.may_dial(address, table, "address")
    return address


def _reply_url(base: str, channel: str, destination: str) -> str:
    return f"{base.rstrip('/')}/v1/callbacks/{quote(channel, safe='')}?{urlencode({'d': destination})}"


def _refuse_secrets(settings: Mapping[str, Any], source: Source, table: Table) -> None:
    for leak in leaks(settings):
        source.refuse((*table.path, *leak.path), leak.message, leak.remedy)


def _lines(value: object, source: Source, path: Path, key: str) -> Iterator[tuple[str, int]]:
    if key:
        yield key, source.line(path)
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _lines(below, source, (*path, name), f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _lines(below, source, (*path, index), f"{key}[{index}]")


def _secret_names(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _secret_names(value)
        elif isinstance(value, list):
            yield from _secret_names({f"{index}.{key}": element for index, element in enumerate(value)})
        elif key.endswith("_secret") and isinstance(value, str):
            yield value
