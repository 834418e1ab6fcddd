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
LOCATION = "persistence_location"
IN_MEMORY = ("/run/", "/var/run/", "/dev/shm/", "/tmp/")  # noqa: S108 - nothing is written there
"""What lies there is gone after a power cut."""
AT_ONCE = "set_tcp_nodelay"
"""Without it the kernel may hold a press back, and throws it away when the broker is killed meanwhile."""
CUTS = {
    "persistent_client_expiration": "if alertd is away for longer, what waits is deleted",
    "max_queued_bytes": "what waits beyond it is thrown away, and the buttons are told that all is well",
    "max_inflight_bytes": "beyond it mosquitto holds presses back behind what nobody acknowledges",
    "memory_limit": "beyond it mosquitto refuses whatever comes",
}
"""What is not to be there, and what it does; 0 is no limit."""
ROOM = {"max_packet_size", "message_size_limit"}
ROOM_BYTES = 64 * 1024
"""What a network server says of one press, with every gateway that heard it, has room in this."""
OF_LISTENER = {"max_connections": "-1", "max_qos": "2"}
"""They count for the listener above them in their file; above every one, for another on mosquitto's port of old, which
opens for that. At these values they do nothing."""
ABOVE_ALL = "above every listener"
HANGS_UP = "max_queued_messages"
"""At 0 mosquitto up to 2.0.21 hangs up on whoever publishes what it may not, and 2.0.16 delivers nothing."""
REMEDY = "write it with alertd broker config; see docs/broker.md"


def written(sections: Sequence[Section], _secret: Secret, etc: Path = Path(ETC)) -> Iterator[Finding]:
    for section in sections:
        settings = section.settings
        if section.table != "sources" or section.plugin != "mqtt" or not is_this_machine(str(settings.get("host", ""))):
            continue
        what, port = f"broker of source {section.name}", _port(settings)
        found = _of(port, etc)
        if found is not None:
            yield from _findings(what, *found, settings)
        else:
            words = f"not looked at whether it saves what waits: no {CONF} that we may read below {etc} opens {port}"
            remedy = "if its configuration lies elsewhere (in a container), compare it with docs/broker.md"
            yield Finding(level=WARN, what=what, words=words, remedy=remedy)


def _findings(what: str, path: Path, promised: Mapping[str, str], settings: Mapping[str, Any]) -> Iterator[Finding]:
    saves = {"persistence": "true"} if is_quiet(settings.get("triggers", ())) else SAVES
    missing = [f"{key} {value}" for key, value in saves.items() if promised.get(key) != value]
    if missing:
        words = f"{path} does not say {', '.join(missing)}: a broker that is killed loses what waits for alertd"
        yield Finding(level=WARN, what=what, words=words, remedy=REMEDY)
    unwanted = list(_unwanted(promised))
    for each in unwanted:
        yield Finding(level=WARN, what=what, words=f"{path} says {each}", remedy=REMEDY)
    if promised.get(AT_ONCE) != "true":
        words = f"{path} does not say {AT_ONCE} true: a press may stay in the kernel, and die with the broker"
        yield Finding(level=WARN, what=what, words=words, remedy=REMEDY)
    elif not missing and not unwanted:
        yield Finding(level=OK, what=what, words=f"{path} saves what waits, and lets no session expire")


def _unwanted(promised: Mapping[str, str]) -> Iterator[str]:
    if promised.get("persistence") == "true":
        yield from _nowhere(promised.get(LOCATION, ""))
    for key, effect in CUTS.items():
        if promised.get(key, "0") != "0":
            yield f"{key} {promised[key]}: {effect}"
    for key in sorted(ROOM & promised.keys()):
        if promised[key].isdecimal() and 0 < int(promised[key]) < ROOM_BYTES:
            yield f"{key} {promised[key]}: a longer press is refused before alertd can see it"
    if promised.get(HANGS_UP) == "0":
        yield f"{HANGS_UP} 0: mosquitto up to 2.0.21 then hangs up on devices, or delivers nothing"
    if ABOVE_ALL in promised:
        yield f"{promised[ABOVE_ALL]} {ABOVE_ALL} of its file: mosquitto opens port {PLAIN_PORT} for that, too"
    if promised.get("max_connections", "-1") != "-1":
        yield f"max_connections {promised['max_connections']}: further devices, and alertd itself, are refused"
    if promised.get("max_qos", "2") == "0":
        yield "max_qos 0: no press is delivered for certain"


def _nowhere(location: str) -> Iterator[str]:
    said = f"{LOCATION} {location}" if location else f"no {LOCATION}"
    if not location.startswith("/"):
        yield f"{said}: it saves where it was started, and systemd starts it in /, where it may not write"
    elif f"{location}/".startswith(IN_MEMORY):
        yield f"{said}: what lies there is gone after a power cut, and what waits with it"


def _port(settings: Mapping[str, Any]) -> int:
    return int(settings.get("port") or (TLS_PORT if "tls" in settings else PLAIN_PORT))


def _of(port: int, etc: Path) -> tuple[Path, dict[str, str]] | None:
    """The configuration with a listener there; `None`: there is none that we may read."""
    for path in (etc / CONF, *sorted(etc.glob(f"*/{CONF}"))):
        lines = list(_lines(path))
        ports = {listener for listener, _, _ in lines if listener}
        of_old = [value for _, key, value in lines if key == "port"]
        limits = [f"{key} {value}" for at, key, value in lines if not at and OF_LISTENER.get(key, value) != value]
        above_all = {ABOVE_ALL: ", ".join(limits)} if limits and ports and not of_old and port != PLAIN_PORT else {}
        default = of_old[-1] if of_old else str(PLAIN_PORT)
        if of_old or limits or not ports:
            ports.add(default)
        if lines and str(port) in ports:
            ours = ((key, value) for at, key, value in lines if key not in OF_LISTENER or (at or default) == str(port))
            return path, {key: _as_written(key, value) for key, value in ours} | above_all
    return None


def _as_written(key: str, value: str) -> str:
    """Of 1, which mosquitto takes for true; but an interval of 1 is a number."""
    return "true" if value == "1" and SAVES.get(key, AT_ONCE) in {"true", key} else value


def _lines(path: Path, *, includes: bool = True) -> Iterator[tuple[str, str, str]]:
    """The port of the listener above each setting, or nothing, and the setting, in mosquitto's order: a folder that it
    includes is read where it is named, `*.conf` by name in whatever case. What is included includes nothing, and begins
    above every listener."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    listener = ""
    for line in lines:
        key, _, value = line.strip().partition(" ")
        if not value or key.startswith("#"):
            continue
        if key == "include_dir" and includes:
            for each in sorted(Path(value.strip()).glob("*.conf"), key=_in_whatever_case):
                yield from _lines(each, includes=False)
            continue
        if key == "listener":
            listener = value.split()[0]
        yield listener, key, value.strip()


def _in_whatever_case(path: Path) -> list[tuple[str, str]]:
    return [(letter.upper(), letter) for letter in path.name]
