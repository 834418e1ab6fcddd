"""The units as systemd reads them: what they start exists, how they end is cared for, and how little they may do."""

import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

from alertd.cli import app
from alertd.daemon.intake import FAILING_FOR_GOOD_S
from alertd.daemon.proof_of_life import FRESH_S
from alertd.daemon.systemd import SAY_EVERY_S
from alertd_adapters.rtp import pacer
from alertd_simulator.cli import app as simulator

REPOSITORY = Path(__file__).resolve().parents[2]
UNITS = REPOSITORY / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))
EXPOSURE_MAX = 15
"""Tenths: what `systemd-analyze security` calls 1.5, "OK"."""

Unit = dict[str, dict[str, list[str]]]


def read(name: str) -> Unit:
    """Sections, keys, and every value that a key is given."""
    unit: Unit = {}
    section: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if line.startswith("["):
            section = unit.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, f"{name}: {line}"
            section.setdefault(key, []).append(value)
    return unit


def seconds(span: str) -> float:
    for unit, factor in (("min", 60), ("h", 3600), ("s", 1)):
        if span.endswith(unit):
            return float(span.removesuffix(unit)) * factor
    return float(span)


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_unit_starts_exists(name: str):
    for key in ("ExecStart", "ExecReload"):
        for command in read(name)["Service"].get(key, []):
            program, *words = command.split()
            assert program in ("/opt/alertd/bin/alertd", "/opt/alertd/bin/alertd-sim")
            group = typer.main.get_command(app if program.endswith("alertd") else simulator)
            options = {option for parameter in group.params for option in parameter.opts}
            while words[0].startswith("--"):
                assert words[0] in options, command
                words = words[2:]
            order = group.get_command(None, words[0])  # type: ignore[attr-defined]  # it is a group
            assert order is not None, f"{name}: there is no {command}"
            options = {o for parameter in order.params for o in (*parameter.opts, *parameter.secondary_opts)}
            assert {word for word in words[1:] if word.startswith("--")} <= options, command


def test_the_daemon_says_when_it_is_ready_and_is_started_again_when_it_stands_still():
    service = read("alertd.service")["Service"]
    assert service["Type"] == ["notify"]
    assert service["NotifyAccess"] == ["main"], "a child could speak for the daemon"
    (watchdog_s,) = map(seconds, service["WatchdogSec"])
    assert watchdog_s >= 2 * SAY_EVERY_S, "fed less than twice in its time"
    assert watchdog_s + FRESH_S >= FAILING_FOR_GOOD_S, "killed before it can end in its own words"
    assert watchdog_s + FRESH_S <= 120, "presses would wait for minutes"
    assert service["Restart"] == ["always"]
    assert read("alertd.service")["Unit"]["StartLimitIntervalSec"] == ["0"], "systemd would give up"
    assert "--config /etc/alertd reload" in service["ExecReload"][0], "a refused configuration must fail the reload"


def test_the_loudspeakers_pacer_is_given_what_it_asks_for():
    service = read("alertd.service")["Service"]
    assert service["LimitRTPRIO"] == [str(pacer.PRIORITY)]
    assert service["LimitNICE"] == [str(pacer.NICE)]
    assert service["LimitRTTIME"] == [f"{pacer.BUSY_US_MAX // 1000}ms"]
    assert service["RestrictRealtime"] == ["no"]
    assert "sched_setscheduler setpriority" in service["SystemCallFilter"]


def test_the_self_test_has_the_daemons_own_secrets():
    ours, its = (read(name)["Service"]["LoadCredential"] for name in ("alertd.service", "alertd-doctor.service"))
    own = ["doctor-password", "doctor-sensor-password"]
    assert its == [*ours, *(f"{name}:/etc/alertd/secrets/{name}" for name in own)]
    assert read("alertd-doctor.service")["Service"]["SetCredential"] == [f"{name}:\\n" for name in own], (
        "or it needs them"
    )


@pytest.mark.parametrize("name", TIMERS)
def test_every_timer_starts_its_service_by_night_and_makes_up_for_a_missed_one(name: str):
    assert name.replace(".timer", ".service") in SERVICES
    timer = read(name)["Timer"]
    assert timer["Persistent"] == ["yes"]
    assert 0 <= int(timer["OnCalendar"][0].split()[1].partition(":")[0]) < 5
    assert read(name)["Install"]["WantedBy"] == ["timers.target"]
    command = read(name.replace(".timer", ".service"))["Service"]["ExecStart"][0]
    assert command.endswith("--report"), "a night that failed would be told to nobody"


@pytest.mark.parametrize("name", ["alertd-sim.service", "alertd-backup.service"])
def test_who_has_no_business_outside_has_no_network(name: str):
    service = read(name)["Service"]
    assert service["PrivateNetwork"] == ["yes"]
    assert service["IPAddressDeny"] == ["any"]
    assert service.get("IPAddressAllow", []) in ([], ["localhost"])
    assert "LoadCredential" not in service


def test_the_rehearsal_sees_neither_secrets_nor_records():
    (hidden,) = read("alertd-sim.service")["Service"]["InaccessiblePaths"]
    assert {"-/etc/alertd/secrets", "-/var/lib/alertd"} <= set(hidden.split())


@pytest.mark.parametrize("name", SERVICES)
def test_no_unit_runs_as_root_or_kills_for_a_refused_call(name: str):
    service = read(name)["Service"]
    assert service["User"] == ["alertd"]
    assert service["SystemCallErrorNumber"] == ["EPERM"]
    assert service["CapabilityBoundingSet"] == [""]


def test_the_wheel_ships_every_unit():
    pyproject = (REPOSITORY / "pyproject.toml").read_text()
    for name in (*SERVICES, *TIMERS):
        assert f'"systemd/{name}" = "lib/systemd/system/{name}"' in pyproject


def analyzer() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd): the units were only read, not judged")
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_the_exposure_of_each_unit_stays_low(name: str):
    command = [analyzer(), "security", "--no-pager", "--offline=true", f"--threshold={EXPOSURE_MAX}", str(UNITS / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Overall exposure level" in done.stdout


def test_systemd_understands_every_line():
    units = [str(UNITS / name) for name in (*SERVICES, *TIMERS)]
    command = [analyzer(), "verify", "--man=no", "--recursive-errors=no", *units]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "is not executable" not in line]  # nothing is in /opt here
    assert said == []
