"""A real mosquitto on a free loopback port, with a folder of its own: started, killed and restarted by tests.

with RealMosquitto(tmp_path) as broker:      # the settings that alertd assumes (config/mosquitto)
    ... broker.port ...
    broker.kill(); broker.start()            # the same port, the same persistence

RealMosquitto(tmp_path, settings={"max_queued_messages": "10"}, users={"alertd": "secret"}, tls=make_certificate(…))
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

STARTS_WITHIN_S = 10.0
ASSUMED: Mapping[str, str] = {
    "persistence": "true",
    "autosave_on_changes": "true",
    "autosave_interval": "1",
    "set_tcp_nodelay": "true",
    "max_queued_messages": "1000000000",
    "queue_qos0_messages": "true",
    "max_inflight_messages": "0",
    "sys_interval": "1",
}
"""What config/mosquitto/mosquitto.conf says (a test compares them), with $SYS every second."""


class Certificate(Struct, frozen=True):
    """Self-signed for 127.0.0.1 and localhost: its own authority."""

    cert: Path
    key: Path


def make_certificate(directory: Path) -> Certificate:
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificate(directory / "cert.pem", directory / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-days", "2"]
    subprocess.run(
        [*command, *names, "-keyout", str(made.key), "-out", str(made.cert)], check=True, capture_output=True
    )
    return made


def program(name: str) -> str:
    """Debian keeps daemons in sbin."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found is not None, f"{name} is not installed; run scripts/system-packages.sh"
    return found


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class RealMosquitto:
    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        acl: str | None = None,
        tls: Certificate | None = None,
    ) -> None:
        self.directory = directory / "mosquitto"
        self.port = free_port()
        self._settings = {**ASSUMED, **(settings or {})}
        self._users = users
        self._acl = acl
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def start(self) -> None:
        assert self._process is None, "it runs already"
        config = self._write()
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen([program("mosquitto"), "-c", str(config)], stdout=log, stderr=log)
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"mosquitto ended: {self.log[-2000:]}"
            with socket.socket() as sock:
                sock.settimeout(1)
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(f"mosquitto did not listen within {STARTS_WITHIN_S:g} s: {self.log[-2000:]}")

    def stop(self) -> None:
        """SIGTERM: it saves its sessions."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """By kill -9: what it has not saved is gone."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It holds the connection and answers nothing, until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _write(self) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"persistence_location {self.directory}/",
            f"allow_anonymous {'false' if self._users else 'true'}",
            "log_dest stderr",
            *(f"{key} {value}" for key, value in self._settings.items()),
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # else it drops to a user who may not write here
        if self._tls is not None:
            lines += [f"certfile {self._tls.cert}", f"keyfile {self._tls.key}"]
        if self._users:
            lines.append(f"password_file {self._write_passwords()}")
        if self._acl is not None:
            (self.directory / "acl").write_text(self._acl)
            lines.append(f"acl_file {self.directory / 'acl'}")
        path = self.directory / "mosquitto.conf"
        # The listener's own lines must follow it; the others may stand anywhere.
        path.write_text("\n".join(lines) + "\n")
        return path

    def _write_passwords(self) -> Path:
        path = self.directory / "passwords"
        path.write_text("".join(f"{user}:{password}\n" for user, password in (self._users or {}).items()))
        path.chmod(0o600)
        subprocess.run([program("mosquitto_passwd"), "-U", str(path)], check=True, capture_output=True)
        return path
