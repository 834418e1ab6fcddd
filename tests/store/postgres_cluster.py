"""A PostgreSQL server of our own for the tests: on loopback, an ephemeral port, without fsync, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest

ROLE = "alertd"


def _programs() -> Path:
    """Where initdb and pg_ctl are. Debian keeps them off PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if there := shutil.which("initdb"):
        return Path(there).resolve().parent
    pytest.skip("no PostgreSQL server programs (initdb): apt-get install postgresql")


def _user() -> tuple[list[str], str | None]:
    """PostgreSQL refuses to run as root: how to become somebody else, and who."""
    if os.geteuid() != 0:
        return [], None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        if shutil.which("setpriv"):
            return ["setpriv", f"--reuid={name}", "--clear-groups", "--"], name
        if shutil.which("runuser"):
            return ["runuser", "-u", name, "--"], name
    pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody, or no setpriv")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def cluster() -> Iterator[str]:
    """URL of a running server's first database."""
    programs, (become, user) = _programs(), _user()
    home = Path(mkdtemp(prefix="alertd-pg-"))
    if user is not None:
        shutil.chown(home, user)
    data = home / "data"
    port = _free_port()
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"

    def run(program: str, *arguments: str) -> None:
        command = [*become, str(programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=home)
        if done.returncode != 0:
            pytest.skip(f"{program} failed: {(done.stderr or done.stdout).strip()[-300:]}")

    try:
        run("initdb", "-D", str(data), "-U", ROLE, "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
        run("pg_ctl", "-D", str(data), "-o", settings, "-l", str(home / "log"), "-w", "start")
        try:
            yield f"postgresql://{ROLE}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def fresh_database(server: str, name: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.rsplit("/", 1)[0] + "/" + name
