"""`alertd-sim conformance`: listen, judge, print, write. Exit codes: 0 it conforms, 1 it does not, or it could not be
tried, 2 not understood."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from alertd.config import load, render_problems
from alertd.config.profiles import FOLDER
from alertd.lint.findings import Judge
from alertd.lint.profiles import check_profiles
from alertd.ports import SettingsError
from alertd_simulator.conformance.judge import conforms, judged
from alertd_simulator.conformance.listening import Listener, Place
from alertd_simulator.conformance.report import as_html, as_text
from alertd_simulator.conformance.steps import Step
from alertd_simulator.conformance.transcript import KIT, Subject, Transcript, TranscriptError, read

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
PASSWORD = "ALERTD_SIM_PASSWORD"  # the variable's name


class Wish(Struct, frozen=True, kw_only=True):
    source: str = ""
    device: str = ""
    profile: str = ""
    base: str = ""
    topics: tuple[str, ...] = ()
    broker: str = ""
    username: str = ""
    feedback: str = ""
    transcript: Path = Path("conformance.jsonl")
    html: Path | None = None
    judge: Path | None = None
    """Only judge this transcript."""
    config: Path | None = None
    """Its profiles/*.toml are read, and nothing else of it."""


def run(wish: Wish) -> int:
    """The exit code."""
    try:
        own = _own_profiles(wish.config)
        path = wish.judge or _listened(wish, own)
        return _report(read(path), own, wish.html)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SettingsError as error:
        return _refused(f"{error.key}: {error}", USAGE)
    except (TranscriptError, ValueError) as error:
        return _refused(str(error), USAGE)
    except (RuntimeError, OSError) as error:
        return _refused(str(error), FAILED)


def _own_profiles(config: Path | None) -> Mapping[str, Mapping[str, Any]]:
    """As `alertd check` takes them. Raises `ValueError` with what it would say against them."""
    if config is None:
        return {}
    loaded = load(config)
    judge = Judge(loaded)
    check_profiles(judge)
    problems = (*loaded.problems, *judge.findings.all())
    ours = [each for each in problems if each.file == str(config) or each.file.startswith(f"{FOLDER}/")]
    if any(each.is_error for each in ours):
        raise ValueError(f"alertd check {config} refuses:\n{render_problems(ours)}".rstrip())
    return loaded.profile_tables


def _report(transcript: Transcript, own: Mapping[str, Mapping[str, Any]], html: Path | None) -> int:
    points = judged(transcript, own)
    print(as_text(transcript, points))
    if html is not None:
        html.write_text(as_html(transcript, points), "utf-8")
        print(f"written: {html}")
    return OK if conforms(points) else FAILED


def _refused(words: str, code: int) -> int:
    print(f"alertd-sim: {words}", file=sys.stderr)
    return code


def _listened(wish: Wish, own: Mapping[str, Mapping[str, Any]]) -> Path:
    """Raises `ValueError`, `RuntimeError`, `SettingsError`."""
    if not wish.source or not wish.device or not wish.topics or not wish.broker:
        raise ValueError("to listen it needs --source, --device, --topic and --broker; or --judge FILE")
    host, _, port = wish.broker.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"--broker {wish.broker}: write it like 127.0.0.1:1883")
    subject = Subject(
        kit=KIT,
        source=wish.source,
        device=wish.device,
        profile=wish.profile,
        base=wish.base,
        began_us=time.time_ns() // 1000,
        topics=wish.topics,
    )
    judged(Transcript(subject=subject, lines=()), own)  # are there such a source and such a profile at all?
    place = Place(
        host=host,
        port=int(port),
        topics=wish.topics,
        username=wish.username or None,
        password=os.environ.get(PASSWORD) if wish.username else None,
        feedback=wish.feedback,
    )
    listener = Listener(place, subject, wish.transcript, say=lambda words: print(words, flush=True), answer=_ask)
    asyncio.run(listener.walk())
    print(f"\nwritten: {wish.transcript}\n")
    return wish.transcript


async def _ask(step: Step) -> str:
    """A person, at the terminal."""
    prompt = f"   [Enter] to begin ({step.lasts_s} s), s to skip, q to stop: "
    typed = await asyncio.to_thread(input, prompt)
    return {"s": "skip", "q": "quit"}.get(typed.strip().casefold()[:1], "")
