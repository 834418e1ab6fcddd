"""Brokers as `alertd broker config` writes them, on loopback, with an authority of their own: only places differ."""

import csv
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from alertd.config import Loaded, load
from alertd.console.plugin_check import surroundings_of
from alertd.exports.broker.files import Planned, plan, write
from alertd_simulator.endurance_broker import adapt
from tests.real_broker import Certificate, RealMosquitto, free_port

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

SIGNS = ("-addext", "keyUsage=critical,keyCertSign")
EXTENSIONS = (
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid",
)


class Authority(Struct, frozen=True):
    """Signs a broker's certificate for localhost and 127.0.0.1, as docs/broker.md does."""

    ca: Path
    broker: Certificate


def make_authority(directory: Path) -> Authority:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "ext").write_text("\n".join(EXTENSIONS))
    for command in (
        ["req", "-x509", *CURVE, "-days", "2", "-subj", "/CN=ca", *SIGNS, "-keyout", "ca-key.pem", "-out", "ca.pem"],
        ["req", *CURVE, "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.csr"],
        ["x509", "-req", "-in", "cert.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "2",
         "-extfile", "ext", "-out", "cert.pem"],
    ):  # fmt: skip
        subprocess.run(["openssl", *command], cwd=directory, check=True, capture_output=True)
    return Authority(directory / "ca.pem", Certificate(directory / "cert.pem", directory / "key.pem"))


def generate(
    config: Path | Loaded, out: Path, *, renew: str = "", known: Mapping[str, str] | None = None
) -> tuple[Planned, ...]:
    """What the command writes. `known`: secrets that lie there already."""
    (out / "secrets").mkdir(parents=True, exist_ok=True)
    out.chmod(0o700)
    for name, value in (known or {}).items():
        (out / "secrets" / name).write_text(value)
    loaded = load(config) if isinstance(config, Path) else config
    assert loaded.is_usable, loaded.problems
    planned = plan(loaded, out, surroundings_of(loaded), frozenset(filter(None, [renew])))
    write(planned, out)
    return planned


def handed_out(folder: Path) -> dict[str, str]:
    with (folder / "hand-out.csv").open() as rows:
        return {row["user"]: row["password"] for row in csv.DictReader(rows)}


class GeneratedMosquitto(RealMosquitto):
    """`port` is the plain listener, where there is one. `extra`: lines that come last, and win."""

    def __init__(
        self,
        directory: Path,
        folder: Path,
        authority: Authority,
        *,
        extra: tuple[str, ...] = (),
        port: int | None = None,
    ) -> None:
        super().__init__(directory)
        self.port = port or self.port
        self.folder = folder
        self.tls_port = free_port()
        self._authority = authority
        self._extra = extra
        listeners = [line.split() for line in self._written.splitlines() if line.startswith("listener ")]
        self._ports = {line[1]: self.port if line[-1] == "127.0.0.1" else self.tls_port for line in listeners}
        self.port = self.port if len(listeners) > 1 else self.tls_port

    @property
    def _written(self) -> str:
        return (self.folder / "mosquitto.conf").read_text()

    def reload(self) -> None:
        """As `systemctl reload`."""
        assert self._process is not None
        self._write()
        self._process.send_signal(signal.SIGHUP)

    def _write(self) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        paths = {
            "certfile": str(self._authority.broker.cert),
            "keyfile": str(self._authority.broker.key),
            "password_file": str(self.folder / "passwords"),
            "acl_file": str(self.folder / "acl"),
            "persistence_location": f"{self.directory}/",
        }
        extra = (*self._extra, *(("user root",) if os.geteuid() == 0 else ()))
        written = self._written
        for line in self._extra:  # a setting that stands twice is refused by none, and the last one holds
            written = "\n".join(each for each in written.splitlines() if each.split(" ")[0] != line.split(" ")[0])
        path = self.directory / "mosquitto.conf"
        path.write_text(adapt(written, ports=self._ports, paths=paths, extra=extra).text)
        return path
