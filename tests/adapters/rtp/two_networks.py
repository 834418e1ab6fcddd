"""Two network namespaces with a cable between them: ours, where the pacer runs, and the loudspeakers'.

Nothing that is sent in them can leave the machine. Where namespaces are not permitted the tests skip, saying so.
"""

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

OURS, THEIRS = "192.0.2.10", "192.0.2.20"
PATIENCE_S = 20.0


class Network:
    """One namespace, kept alive by a sleeping process."""

    def __init__(self, holder: subprocess.Popen[bytes]) -> None:
        self.holder = holder

    @property
    def prefix(self) -> tuple[str, ...]:
        """Before a command: runs it in here."""
        return ("nsenter", "-t", str(self.holder.pid), "-U", "-n", "--preserve-credentials")

    def run(self, *command: str) -> str:
        done = subprocess.run([*self.prefix, *command], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        if done.returncode:
            raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    @contextlib.contextmanager
    def running(self, command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        """A receiver. Ends by Ctrl-C, as it would at a terminal, so that it finishes its file."""
        process = subprocess.Popen([*self.prefix, *command], stdin=subprocess.DEVNULL, **options)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait_for_listeners(self, group: str, count: int) -> None:
        """Until so many sockets in here have joined the group (the kernel counts them)."""
        wanted = "".join(f"{int(part):02X}" for part in reversed(group.split(".")))
        wait_until(lambda: self._joined(wanted) >= count, f"{count} receivers join {group}")

    def _joined(self, wanted: str) -> int:
        lines = (line.split() for line in self.run("cat", "/proc/net/igmp").splitlines())
        return sum(int(line[1]) for line in lines if line and line[0] == wanted)


class Cable:
    """Both ends."""

    def __init__(self, ours: Network, theirs: Network) -> None:
        self.ours = ours
        self.theirs = theirs


def wait_until(is_so: Any, what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {PATIENCE_S:g} s in vain: {what}")
        time.sleep(0.02)


@contextlib.contextmanager
def cable() -> Iterator[Cable]:
    """Raises `OSError` where namespaces are not permitted."""
    with contextlib.ExitStack() as stack:
        ours = _network(stack, ["unshare", "-Urn"], Path("/proc/self/ns/net"))
        theirs = _network(stack, [*ours.prefix, "unshare", "-n"], Path(f"/proc/{ours.holder.pid}/ns/net"))
        ours.run("ip", "link", "add", "ours", "type", "veth", "peer", "name", "theirs", "netns", str(theirs.holder.pid))
        for network, card, address in ((ours, "ours", OURS), (theirs, "theirs", THEIRS)):
            network.run("ip", "address", "add", f"{address}/24", "dev", card)
            network.run("ip", "link", "set", card, "up")
            network.run("ip", "link", "set", "lo", "up")
        theirs.run("ip", "route", "add", "224.0.0.0/4", "dev", "theirs")
        yield Cable(ours, theirs)


def _network(stack: contextlib.ExitStack, command: Sequence[str], parent: Path) -> Network:
    holder = stack.enter_context(
        subprocess.Popen([*command, "sleep", "600"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    )
    stack.callback(holder.kill)
    own = Path(f"/proc/{holder.pid}/ns/net")

    def is_apart() -> bool:
        if holder.poll() is not None:
            raise OSError("network namespaces are not permitted here")
        # sleep, not unshare, runs: the namespaces are complete
        return own.readlink() != parent.readlink() and Path(f"/proc/{holder.pid}/comm").read_text() == "sleep\n"

    wait_until(is_apart, "a network namespace")
    return Network(holder)


def needed(*programs: str) -> None:
    """Skip without these."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed; scripts/system-packages.sh installs it")
