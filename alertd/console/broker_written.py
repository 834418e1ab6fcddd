"""What the broker's configuration promises that no probe can see: that it saves, and for how long it keeps a session.

Reads mosquitto.conf, if the broker is on this machine; whether the broker has read it since is not known. Must never
change anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alertd.console.doctor import OK, WARN, Finding, Secret, Section
from alertd.exports.broker.layout import ETC, PLAIN_PORT, TLS_PORT, is_quiet
from alertd.model.this_machine import is_this_machine

CONF = "mosquitto.conf"
SAVES = {"persistence": "true", "autosave_on_changes": "true", "autosave_interval": "1"}
"""Without one of them kill -9 or a power cut takes what waits (docs/broker.md)."""
AT_ONCE = "set_tcp_nodelay"
"""Without it the kernel may hold a press back, and throws it away when the broker is killed meanwhile."""
CUTS = {
    "persistent_client_expiration": "if alertd is away for longer, what waits is deleted",
    "message_size_limit": "a longer press is refused before alertd can see it",
    "max_queued_bytes": "what waits beyond it is thrown away, and the buttons are told that all is well",
}
"""What is not to be there, and what it does."""
HANGS_UP = "max_queued_messages"
"""At 0 mosquitto up to 2.0.21 hangs up on whoever publishes what it may not, and 2.0.16 delivers nothing."""
REMEDY = "write it with alertd broker config; see docs/broker.md"


def written(sections: Sequence[Section], _secret: Secret, etc: Path = Path(ETC)) -> Iterator[Finding]:
    for section in sections:
        settings = section.settings
        if section.table != "sources" or section.plugin != "mqtt" or not is_this_machine(str(settings.get("host", ""))):
            continue
        found = _of(_port(settings), etc)
        if found is not None:
            yield from _findings(f"broker of source {section.name}", *found, settings)


def _findings(what: str, path: Path, promised: Mapping[str, str], settings: Mapping[str, Any]) -> Iterator[Finding]:
    saves = {"persistence": "true"} if is_quiet(settings.get("triggers", ())) else SAVES
    missing = [f"{key} {value}" for key, value in saves.items() if promised.get(key) != value]
    if missing:
        words = f"{path} does not say {', '.join(missing)}: a broker that is killed loses what waits for alertd"
        yield Finding(level=WARN, what=what, words=words, remedy=REMEDY)
    unwanted = [f"{key} {promised[key]}: {effect}" for key, effect in CUTS.items() if promised.get(key, "0") != "0"]
    if promised.get(HANGS_UP) == "0":
        unwanted.append(f"{HANGS_UP} 0: mosquitto up to 2.0.21 then hangs up on devices, or delivers nothing")
    for each in unwanted:
        yield Finding(level=WARN, what=what, words=f"{path} says {each}", remedy=REMEDY)
    if promised.get(AT_ONCE) != "true":
        words = f"{path} does not say {AT_ONCE} true: a press may stay in the kernel, and die with the broker"
        yield Finding(level=WARN, what=what, words=words, remedy=REMEDY)
    elif not missing and not unwanted:
        yield Finding(level=OK, what=what, words=f"{path} saves what waits, and lets no session expire")


def _port(settings: Mapping[str, Any]) -> int:
    return int(settings.get("port") or (TLS_PORT if "tls" in settings else PLAIN_PORT))


def _of(port: int, etc: Path) -> tuple[Path, dict[str, str]] | None:
    """The configuration with a listener there; `None`: there is none that we may read."""
    for path in (etc / CONF, *sorted(etc.glob(f"*/{CONF}"))):
        try:
            lines = [line.split(None, 1) for line in path.read_text("utf-8", "replace").splitlines()]
        except OSError:
            continue
        settings = [(line[0], line[1].strip()) for line in lines if len(line) == 2 and not line[0].startswith("#")]
        if any(key == "listener" and value.split()[0] == str(port) for key, value in settings):
            return path, dict(settings)
    return None
