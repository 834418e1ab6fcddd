"""All files of all brokers, planned as a whole and then written. Passwords in clear are written before their hashes.

Must never write a password in clear into anything that others than the owner may read, and never a file by halves.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from alertd.config import Loaded, Problem, Section, render_problems
from alertd.exports.broker import access, passwords
from alertd.exports.broker.clients import Client, clients_of, triggers_of
from alertd.exports.broker.layout import Layout, address_of, conf_text, layout_of
from alertd.exports.broker.passwords import Settled
from alertd.exports.replacing import replace_file
from alertd.ports import Surroundings

CONF, ACL, PASSWORDS, HAND_OUT = "mosquitto.conf", "acl", "passwords", "hand-out.csv"
SECRETS = "secrets"
FOR_ALL, FOR_THE_GROUP, FOR_ONE, FOLDER = 0o644, 0o640, 0o600, 0o700


class CannotBeWrittenError(Exception):
    """Why, and what to do, for people."""


class Planned(Struct, frozen=True, kw_only=True):
    """One broker: what would be written, and who gains or loses."""

    layout: Layout
    folder: Path
    clients: tuple[Client, ...]
    settled: Settled
    problems: tuple[Problem, ...]
    is_new_conf: bool
    """A reload of the broker is not enough."""
    is_alertd_new: bool
    """Nor then: alertd's own line in the password file is new. At a reload mosquitto 2.0.11 disowns a session whose
    password is an old one, and throws away what should wait there; after a restart it keeps it."""
    texts: dict[str, tuple[int, str]]
    """File, below the directory that was named → its mode and text; those with passwords in clear first."""


def plan(loaded: Loaded, out: Path, surroundings: Surroundings, renewed: frozenset[str]) -> tuple[Planned, ...]:
    """Of every broker that an mqtt source names. Raises `CannotBeWrittenError`, `SettingsError` or `PluginError`."""
    _check_directory(out)
    groups: dict[tuple[str, int], list[Section]] = {}
    for section in loaded.sections:
        if section.table == "sources" and section.plugin == "mqtt":
            groups.setdefault(address_of(section), []).append(section)
    secrets, new = _Secrets(out / SECRETS), {name: passwords.made_up() for name in renewed}
    # Alertd says the same password under each name that has the secret.
    users = [user for sections in groups.values() for user in clients_of(sections, loaded, surroundings).clients]
    of_secrets = {user.secret: new[user.name] for user in users if user.secret and user.name in new}
    new |= {user.name: of_secrets[user.secret] for user in users if user.secret in of_secrets}
    planned = []
    for index, sections in enumerate(groups.values()):
        triggers = [trigger for section in sections for trigger in triggers_of(section, surroundings)]
        layout = layout_of(sections, triggers, is_first=index == 0)
        for section in sections:
            _username(section)
        planned.append(_planned(layout, sections, (loaded, surroundings, out, new), secrets))
    unknown = renewed - {client.name for each in planned for client in each.clients}
    if unknown:
        raise CannotBeWrittenError(f"there is no user {', '.join(sorted(unknown))} whose password could be renewed")
    return tuple(planned)


def acl_of(loaded: Loaded, surroundings: Surroundings) -> str:
    """The access list of the first broker, for whoever tries one."""
    sections = [section for section in loaded.sections if section.table == "sources" and section.plugin == "mqtt"]
    ours = [section for section in sections if address_of(section) == address_of(sections[0])]
    return access.access_text(clients_of(ours, loaded, surroundings).clients, "")


def write(planned: Iterable[Planned], out: Path) -> None:
    """Raises `CannotBeWrittenError`."""
    try:
        for each in planned:
            for name, (mode, text) in each.texts.items():
                path = out / name
                path.parent.mkdir(mode=FOLDER, parents=True, exist_ok=True)
                _replace(path, text, mode)
    except OSError as error:
        raise CannotBeWrittenError(f"{error.filename or out} cannot be written: {error.strerror}") from None


class _Secrets:
    """Passwords that alertd reads as secrets, by the name of the secret. One name is one password, on every broker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, str] = {}

    def of(self, name: str) -> str | None:
        if name not in self._known:
            text = _read(self._folder / name).strip()
            if not text:
                return None
            self._known[name] = text
        return self._known[name]

    def keep(self, name: str, password: str) -> None:
        self._known[name] = password


def _planned(
    layout: Layout,
    sections: Sequence[Section],
    given: tuple[Loaded, Surroundings, Path, Mapping[str, str]],
    kept: _Secrets,
) -> Planned:
    loaded, surroundings, out, renewed = given
    folder = out / layout.name
    found = clients_of(sections, loaded, surroundings)
    own = _own_lines(folder)
    clients = _with_own(found.clients, access.users_of(own))
    clear = passwords.read_hand_out(_read(folder / HAND_OUT))
    clear |= {c.name: known for c in clients if c.secret and (known := kept.of(c.secret)) is not None}
    before = passwords.read_hashes(_read(folder / PASSWORDS))
    settled = passwords.settle([client.name for client in clients], before, clear, renewed)
    texts = {}
    for client in clients:
        if client.secret and client.name in settled.clear:
            kept.keep(client.secret, settled.clear[client.name])
            texts[f"{SECRETS}/{client.secret}"] = (FOR_ONE, settled.clear[client.name] + "\n")
    texts |= {
        f"{layout.name}/{HAND_OUT}": (FOR_ONE, passwords.hand_out_text(clients, settled.clear)),
        f"{layout.name}/{PASSWORDS}": (FOR_THE_GROUP, passwords.hashes_text(settled.hashes)),
        f"{layout.name}/{ACL}": (FOR_THE_GROUP, access.access_text(clients, own)),
        f"{layout.name}/{CONF}": (FOR_ALL, conf_text(layout)),
    }
    return Planned(
        layout=layout,
        folder=folder,
        clients=clients,
        settled=settled,
        problems=found.problems,
        is_new_conf=_read(folder / CONF) != conf_text(layout),
        is_alertd_new=any(settled.hashes[name] != before.get(name) for name in map(_username, sections)),
        texts=texts,
    )


def _with_own(clients: tuple[Client, ...], own: Iterable[str]) -> tuple[Client, ...]:
    """A site's own users have their lines in acl.own; here they only get a password."""
    known = {client.name for client in clients}
    more = (Client(name=name, what=f"as {access.OWN} says", says=(), hears=()) for name in own if name not in known)
    return (*clients, *more)


def _own_lines(folder: Path) -> str:
    """What a site wrote itself. Raises `CannotBeWrittenError` for what the broker would stop at."""
    path = folder / access.OWN
    own = _read(path)
    wrong = access.check_own(own, str(path))
    if wrong:
        raise CannotBeWrittenError(f"{path} would harm the broker\n{render_problems(wrong).rstrip()}")
    return own


# --- the disk -------------------------------------------------------------------------------------------------------


def _username(section: Section) -> str:
    name = str(section.settings.get("username") or "")
    if not name:
        raise CannotBeWrittenError(
            f"{section.file}:{section.line}: sources.{section.name} has no username: alertd is a user of its broker, "
            'like any other. Write username = "alertd" and password_secret = "broker-password"'
        )
    return name


def _check_directory(out: Path) -> None:
    try:
        mode = out.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotBeWrittenError(f"{out} cannot be read: {error.strerror}") from None
    if not out.is_dir():
        raise CannotBeWrittenError(f"{out} is no directory")
    if mode & 0o022:
        raise CannotBeWrittenError(f"others may write into {out}, where passwords will lie: chmod 700 {out}")


def _read(path: Path) -> str:
    """Empty if it is not there yet."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CannotBeWrittenError(f"{path} cannot be read: {why}") from None


def _replace(path: Path, text: str, mode: int) -> None:
    """Never readable for more than it will be. Owner and group stay."""

    def dress(number: int) -> None:
        if path.exists() and os.geteuid() == 0:
            before = path.stat()
            os.fchown(number, before.st_uid, before.st_gid)
        os.fchmod(number, mode)

    replace_file(path, text.encode(), dress)
