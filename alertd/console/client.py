"""The command line's side of the API: HTTP over the local socket, from the standard library, so that it starts fast.

Never touches the database, and never repeats an order by itself: what became of a lost one, the caller must be told.
"""

import http.client
import json
import os
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

CONNECT_WAIT_S = 2.0
ANSWER_WAIT_S = 30.0
"""Longer than the API waits for a commit: its own words about a slow disk are better than ours."""
DEFAULT_STATE_DIR = Path("/var/lib/alertd")
SOCKET_NAME = "alertd.sock"
CONFIG_FILE = "alertd.toml"
ANSWER_BYTES_MAX = 64 * 1024 * 1024


class NotReachableError(Exception):
    """No daemon answers at the socket. Nothing was ordered, unless the message says that this is not known."""


class RefusedError(Exception):
    """The daemon answered, and did not do it. `answer` is its {error, where, remedy, problems}."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(str(answer.get("error", f"HTTP {status}")))
        self.status = status
        self.answer = answer


def find_socket(given: Path | None, config: Path | None, environ: Mapping[str, str]) -> Path:
    """The daemon's own rules, without its settings machinery: flag, environment, `[daemon]` in the file, default."""
    if given is not None:
        return given
    if named := environ.get("ALERTD_SOCKET_PATH"):
        return Path(named)
    if state := environ.get("ALERTD_STATE_DIR"):
        return Path(state) / SOCKET_NAME
    directory = config or (Path(environ["ALERTD_CONFIG"]) if environ.get("ALERTD_CONFIG") else None)
    if directory is not None:
        table = _daemon_table(directory / CONFIG_FILE)
        if named := str(table.get("socket_path") or ""):
            return Path(named)
        return Path(str(table.get("state_dir") or DEFAULT_STATE_DIR)) / SOCKET_NAME
    return DEFAULT_STATE_DIR / SOCKET_NAME


def _daemon_table(file: Path) -> Mapping[str, Any]:
    """An unreadable file is no reason to fail here: `alertd check` says what is wrong with it."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("daemon", {})
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=CONNECT_WAIT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CONNECT_WAIT_S)
        self.sock.connect(os.fspath(self._path))
        self.sock.settimeout(ANSWER_WAIT_S)


class Client:
    """One daemon, at one socket."""

    def __init__(self, socket_path: Path) -> None:
        self.socket_path = socket_path

    def get(self, path: str, **query: str | int | None) -> Any:
        given = {key: value for key, value in query.items() if value is not None}
        return self._ask("GET", path + (f"?{urlencode(given)}" if given else ""), None, {})

    def post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> Any:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or uuid4().hex}
        return self._ask("POST", path, json.dumps(body).encode(), headers)

    def health(self) -> Any:
        """Also when the daemon says that it is not well: that is an answer, not a refusal."""
        return self._ask("GET", "/v1/health", None, {}, well=(200, 503))

    def without_session(self) -> str:
        """Brokers over which the daemon hears nobody now, and what to do; "": it hears all."""
        proofs = self.health()["proofs"]
        return "; ".join(
            f"{each['name']}: {each['words']}"
            for each in proofs
            if each["name"].startswith("broker") and not each["alive"]
        )

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], well: tuple[int, ...] = (200,)
    ) -> Any:
        connection = _UnixConnection(self.socket_path)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise NotReachableError(self._why(error)) from error
            try:
                connection.request(method, path, body, dict(headers))
                answer = connection.getresponse()
                status, raw = answer.status, answer.read(ANSWER_BYTES_MAX)
            except (OSError, http.client.HTTPException) as error:
                raise NotReachableError(self._lost(method, error)) from error
        finally:
            connection.close()
        return self._decoded(status, raw, well)

    def _decoded(self, status: int, raw: bytes, well: tuple[int, ...]) -> Any:
        try:
            decoded = json.loads(raw)
        except ValueError:
            raise RefusedError(status, _not_ours(self.socket_path)) from None
        if status not in well:
            raise RefusedError(status, decoded if isinstance(decoded, dict) else _not_ours(self.socket_path))
        return decoded

    def _why(self, error: OSError) -> str:
        start = "start it with: systemctl start alertd   (or: alertd run CONFIG_DIR)"
        match error:
            case FileNotFoundError():
                return f"no daemon is running here: there is no socket {self.socket_path}\n{start}"
            case ConnectionRefusedError():
                return f"the daemon is gone: nobody listens on {self.socket_path}, which it left behind\n{start}"
            case PermissionError():
                return (
                    f"you may not open {self.socket_path}\n"
                    "run this as the daemon's user (sudo -u alertd …) or as a member of its operators' group"
                )
            case TimeoutError():
                return f"the daemon does not answer at {self.socket_path} within {CONNECT_WAIT_S:.0f} s; is it stuck?"
            case _:
                return f"cannot reach the daemon at {self.socket_path}: {error}\n{start}"

    def _lost(self, method: str, error: Exception) -> str:
        what = "it is NOT KNOWN whether the order was carried out" if method == "POST" else "nothing was changed"
        return (
            f"the daemon at {self.socket_path} stopped answering ({type(error).__name__}): {what}\n"
            "see `alertd incidents` before you order it again"
        )


def segment(name: str) -> str:
    """A name as one part of a path, whatever characters it has."""
    return quote(name, safe="")


def _not_ours(path: Path) -> dict[str, str]:
    return {
        "error": "what answered is no alertd, or another version of it",
        "where": str(path),
        "remedy": "compare `alertd --version` with `alertd health`",
    }
