"""`alertd-sim devices`: which families can be played, and playing one against a real broker.

Owns what is printed, the refusal to play where anybody real could be reached, and exit codes: 0 done, 1 it could not go
on or the broker did not take it, 2 not understood, 3 refused. Must never print a secret, publish before everything was
made and checked, or say that something was published which the broker has refused.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiomqtt
from msgspec import Struct

from alertd.config import Loaded, load
from alertd.model.ids import DeviceId
from alertd_simulator.demo_school import read_wiring
from alertd_simulator.devices import Payload, on_the_air
from alertd_simulator.families.catalogue import NOT_PLAYED, families
from alertd_simulator.families.frames import CannotSayError
from alertd_simulator.family_devices import (
    PLAIN_FAMILY,
    named,
    registered,
    steps_of,
    usual_act,
)
from alertd_simulator.family_speaker import NotPlayableError, Speaker
from alertd_simulator.family_ways import WORDS, How
from alertd_simulator.live_broker import check_broker
from alertd_simulator.live_credentials import LiveError, live_channels, live_secrets
from alertd_simulator.receivers import read_rehearsal

OK, FAILED, USAGE, LIVE, INTERRUPTED = 0, 1, 2, 3, 130
SHOWN_MAX = 110
"""Characters of a payload on the screen."""
PASSWORD = "ALERTD_SIM_PASSWORD"  # the variable's name


class Wish(Struct, frozen=True, kw_only=True):
    """What to play, and how."""

    device: str
    how: How = How.SINGLE
    family: str = ""
    over: str = ""
    act: str = ""
    times: int = 0
    config: Path | None = None
    into: Path = Path("rehearsal")
    broker: str = ""
    username: str = ""
    dry_run: bool = False


def list_families() -> int:
    """The exit code."""
    for family in (PLAIN_FAMILY, *families().values()):
        doubt = f"   ({family.doubt})" if family.doubt else ""
        print(f"{family.name:<38} {', '.join(family.acts)}{doubt}")
    print("\nNot played:")
    for source, why in NOT_PLAYED.items():
        print(f"{source:<38} {why}")
    return OK


def run_devices(wish: Wish) -> int:
    """The exit code."""
    try:
        return asyncio.run(_run(wish))
    except KeyboardInterrupt:
        return INTERRUPTED
    except LiveError as error:
        return _refused(error, LIVE)
    except (NotPlayableError, CannotSayError, ValueError) as error:
        return _refused(error, USAGE)
    except aiomqtt.MqttError as error:
        return _refused(RuntimeError(f"the broker does not take it: {error}"), FAILED)
    except (RuntimeError, OSError) as error:
        return _refused(error, FAILED)


def _refused(error: Exception, code: int) -> int:
    print(f"alertd-sim: {error}", file=sys.stderr)
    return code


async def _run(wish: Wish) -> int:
    config, (host, port) = _where(wish)
    speaker = _speaker(wish, config)
    steps = steps_of(speaker, wish.how, act=wish.act, times=wish.times, now_us=time.time_ns() // 1000)
    doubt = f" ({speaker.family.doubt})" if speaker.family.doubt else ""
    said = "" if wish.how is How.SILENT else f" and says {wish.act or usual_act(speaker, wish.how)}"
    print(f"{speaker.device} speaks {speaker.family.name}{doubt}{said}: {WORDS[wish.how]}")
    if wish.dry_run:
        for after_s, payloads in steps:
            for payload in payloads:
                _show(after_s, payload)
        return OK
    password = os.environ.get(PASSWORD) if wish.username else None
    async with on_the_air(host, port, username=wish.username or None, password=password) as air:
        began_s = time.monotonic()
        for after_s, payloads in steps:
            await asyncio.sleep(max(0.0, began_s + after_s - time.monotonic()))
            for payload in payloads:
                await air.publish(payload)
                _show(after_s, payload)
                if air.refusals:
                    raise RuntimeError(_who_may(wish, payload.topic, air.refusals[-1]))
    if wish.how in (How.SILENT, How.DYING):
        print("and now it is silent: alertd should miss it when its check-in window is over")
    return OK


def _who_may(wish: Wish, topic: str, reason: str) -> str:
    who = f"the user {wish.username}" if wish.username else "somebody without a name (see --username)"
    return f"the broker REFUSED this one ({reason}): its access list does not let {who} publish on {topic}"


def _show(after_s: float, payload: Payload) -> None:
    how = f"QoS {payload.qos}{', retained' if payload.retain else ''}"
    try:
        text = payload.payload.decode()
    except UnicodeDecodeError:
        text = payload.payload.hex()
    shown = text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
    print(f"{after_s:8.1f} s  {payload.topic}  ({how}, {len(payload.payload)} bytes)\n            {shown}")


def _speaker(wish: Wish, config: Path | None) -> Speaker:
    """Raises `NotPlayableError`."""
    if wish.family:
        return named(wish.family, wish.device)
    loaded = _loaded(config)
    device = loaded.registry.devices.get(DeviceId(wish.device)) if loaded is not None else None
    if loaded is None or device is None:
        raise NotPlayableError(
            f"{wish.device} is not in the registry; to play a device that nobody registered, name its --family"
        )
    return registered(device, loaded.sections, wish.over)


def _loaded(config: Path | None) -> Loaded | None:
    if config is None:
        return None
    loaded = load(config)
    if not loaded.is_usable:
        raise NotPlayableError(f"{config} cannot be read as it is: see alertd check {config}")
    return loaded


# --- where, and whether at all ----------------------------------------------------------------------------------------


def _where(wish: Wish) -> tuple[Path | None, tuple[str, int]]:
    """The configuration and the broker. Raises `LiveError`, `RuntimeError`, `ValueError`."""
    if wish.config is None and wish.family and wish.dry_run:
        return None, ("", 0)
    if wish.config is None and not (wish.broker and wish.family):
        rehearsal = read_rehearsal(wish.into)
        config = Path(rehearsal.config)
        wiring = read_wiring(config)
        if found := [*live_channels(wiring), *live_secrets(wiring, os.environ)]:
            raise LiveError("this could reach somebody real, so nothing is played:\n  " + "\n  ".join(found))
        return config, _address(wish.broker) if wish.broker else (rehearsal.broker_host, rehearsal.broker_port)
    wiring = read_wiring(wish.config) if wish.config is not None else {}
    if found := list(live_secrets(wiring, os.environ)):
        raise LiveError("credentials of a live provider are at hand, so nothing is played:\n  " + "\n  ".join(found))
    if not wish.broker:
        if wish.dry_run:
            return wish.config, ("", 0)
        raise ValueError("name the broker with --broker HOST:PORT: not the one at which your live alertd listens")
    host, port = _address(wish.broker)
    _refuse_live_broker(wiring, host, port)
    return wish.config, (host, port)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"--broker {text}: write it like 127.0.0.1:1884")
    return host, int(port)


def _refuse_live_broker(wiring: Mapping[str, Any], host: str, port: int) -> None:
    """The configuration's own broker is fine if nothing in the configuration leads out."""
    if not list(live_channels(wiring)):
        return
    try:
        check_broker(wiring, host, port)
    except (RuntimeError, ValueError) as error:
        raise LiveError(str(error)) from None
