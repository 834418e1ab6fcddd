"""`policies/*.toml`: who is told when, what they read, who must answer. `common.toml` holds words that all share."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from alertd.config.problems import did_you_mean, quoted
from alertd.config.reading import Reading, Thing
from alertd.config.sites import POLICY_CLASSES
from alertd.config.toml_files import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, Source, Table
from alertd.config.toml_lines import Path
from alertd.model.ids import PolicyId
from alertd.model.incident import VERIFY_FIRST, IncidentClass, is_panic
from alertd.model.policy import Corroboration, Policy, Step, Target, TargetKind

COMMON = "common"
"""policies/common.toml: its templates stand in for what a policy does not write itself."""

STEPS_MAX = 20
ANNOUNCE_AGAIN_MAX = 5
ANNOUNCE_AGAIN_S_MIN = 15
"""Tone, lead-in and the words twice take about so long."""
TARGETS_MAX = 50

WORDS = ("responder", "staff")

_NAMED = {
    "person": (TargetKind.PERSON, Thing.PERSON),
    "group": (TargetKind.GROUP, Thing.GROUP),
    "schedule": (TargetKind.SCHEDULE, Thing.SCHEDULE),
    "destination": (TargetKind.DESTINATION, Thing.DESTINATION),
}
LOUDSPEAKERS = "loudspeakers"
_WHOLE = {"site_staff": TargetKind.SITE_STAFF, "district": TargetKind.DISTRICT}


def read_policy(
    name: str, table: Table, reading: Reading, common: Mapping[str, str], demo_wait_s: int | None
) -> Policy:
    """One policy. `demo_wait_s` shortens its waits, for a demonstration only."""
    reading.declare(Thing.POLICY, name, table.source.file, 1, table.lines())
    incident_class = table.required_text("class", "lockdown")
    if table.has("class") and incident_class not in POLICY_CLASSES:
        table.refuse(
            "class", f"{quoted(incident_class)} is not an incident class", did_you_mean(incident_class, POLICY_CLASSES)
        )
    steps = tuple(
        _step(f"{name}/{number}", step, reading, demo_wait_s) for number, step in enumerate(table.tables("steps"))
    )
    if not steps:
        table.refuse("steps", "has no steps: it would tell nobody", "write [[steps]] and below it targets = […]")
    if len(steps) > STEPS_MAX:
        table.refuse("steps", f"has {len(steps)} steps", f"at most {STEPS_MAX} are allowed")
    policy = Policy(
        id=PolicyId(name),
        incident_class=incident_class,
        steps=steps,
        templates=dict(common) | read_templates(name, table, reading),
        cancel_window_s=table.integer("cancel_window_s", 0, least=0, most=30),
        arrive_within_s=table.integer("arrive_within_s", 300, least=30, most=3_600),
        expires_s=table.integer("expires_s", 300, least=30, most=3_600),
        late_confirm_s=table.integer("late_confirm_s", 300, least=10, most=3_600),
        renotify_s=table.integer("renotify_s", 14_400, least=300, most=14_400),
        announce_again_s=_announce_again(table, steps),
        corroborated=_corroborated(table, incident_class),
    )
    table.done()
    return policy


def _announce_again(table: Table, steps: tuple[Step, ...]) -> tuple[int, ...]:
    """Seconds after the first announcement, in order."""
    seconds = table.integers("announce_again_s", least=ANNOUNCE_AGAIN_S_MIN, most=600)
    speaks = any(target.kind is TargetKind.LOUDSPEAKERS for step in steps for target in step.targets)
    if seconds and not speaks:
        remedy = 'add { announcement = "…", loudspeakers = "all" } to the targets of the first step, or remove it'
        table.refuse("announce_again_s", "has nothing to repeat: no step names loudspeakers", remedy)
    if len(seconds) > ANNOUNCE_AGAIN_MAX:
        remedy = f"at most {ANNOUNCE_AGAIN_MAX}: then there is quiet, for police"
        table.refuse("announce_again_s", f"names {len(seconds)} repeats", remedy)
    gaps = (later - earlier for earlier, later in pairwise((0, *seconds)))
    if any(gap < ANNOUNCE_AGAIN_S_MIN for gap in gaps):
        remedy = f"write them in order, at least {ANNOUNCE_AGAIN_S_MIN} apart: [20, 60]"
        table.refuse("announce_again_s", "would speak into itself", remedy)
    return seconds


def _corroborated(table: Table, incident_class: str) -> Corroboration:
    """What becomes of a sensor's alarm that a second sensor, or a human's press, bears out."""
    if not table.has("corroborated"):
        return Corroboration()
    if incident_class not in VERIFY_FIRST:
        waits = " and ".join(sorted(VERIFY_FIRST))
        table.refuse("corroborated", f"means nothing for {incident_class}", f"only {waits} wait for corroboration")
    below = table.table("corroborated")
    raises = below.text("raises") or ""
    panics = tuple(str(each) for each in IncidentClass if is_panic(each))
    if raises and raises not in panics:
        below.refuse("raises", f"{quoted(raises)} is no panic", did_you_mean(raises, panics))
        raises = ""
    found = Corroboration(
        within_s=below.integer("within_s", 60, least=5, most=600),
        raises=raises,
        by_press=below.boolean("by_press", default=True),
    )
    below.done()
    return found


def read_templates(policy: str, table: Table, reading: Reading) -> dict[str, str]:
    """`[templates]`, with `"alert.responder" = …` and `[templates.alert]` / `responder = …` meaning the same."""
    templates = table.table("templates")
    found: dict[str, str] = {}
    for path, name, text in _flat(templates.raw(), templates.path, ""):
        _template(templates.source, path, text, found, name)
        line = templates.source.line(path)
        reading.declare(Thing.TEMPLATE, f"{policy}/{name}", templates.source.file, line)
    return found


def _flat(values: Mapping[str, Any], path: Path, prefix: str) -> Iterator[tuple[Path, str, object]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, (*path, key), f"{prefix}{key}.")
        else:
            yield (*path, key), f"{prefix}{key}", value


def _template(source: Source, path: Path, text: object, found: dict[str, str], name: str) -> None:
    if not isinstance(text, str) or not text.strip():
        source.refuse(path, "is not a text", "write the words in quotation marks")
    elif len(text) > TEXT_CHARACTERS_MAX:
        source.refuse(path, f"is {len(text)} characters long", f"at most {TEXT_CHARACTERS_MAX} are allowed")
    elif not text.replace("\n", "").replace("\t", "").isprintable():
        source.refuse(path, "contains an invisible character", "retype it")
    else:
        found[name] = " ".join(text.split())


def _step(identity: str, table: Table, reading: Reading, demo_wait_s: int | None) -> Step:
    reading.declare(Thing.STEP, identity, table.source.file, table.line, table.lines())
    tables = table.tables("targets")
    if not tables:
        table.refuse("targets", "has no targets: this step would tell nobody", 'write targets = [{ group = "…" }]')
    if len(tables) > TARGETS_MAX:
        table.refuse("targets", f"has {len(tables)} targets", f"at most {TARGETS_MAX}: use a group")
    targets = tuple(target for each in tables if (target := _target(each, reading)) is not None)
    wait_s = table.integer("wait_s", 30, least=5, most=3_600)
    step = Step(
        targets=targets,
        channels=reading.all_known(Thing.CHANNEL, (name for _, name in table.texts("channels")), table, "channels"),
        wait_s=wait_s if demo_wait_s is None else min(wait_s, demo_wait_s),
        answers=table.integer("answers", 1, least=1, most=20),
        answer_from=reading.all_known(
            Thing.GROUP, (name for _, name in table.texts("answer_from")), table, "answer_from"
        ),
    )
    table.done()
    return step


def _target(table: Table, reading: Reading) -> Target | None:
    kinds = [key for key in table.names() if key in _NAMED or key in _WHOLE or key == LOUDSPEAKERS]
    if len(kinds) != 1:
        choices = ", ".join((*_NAMED, *_WHOLE, LOUDSPEAKERS))
        table.refuse(None, f"names {len(kinds) or 'no'} kinds of target", f"write exactly one of: {choices}")
        return None
    key = kinds[0]
    if key == LOUDSPEAKERS:
        return _loudspeakers(table)
    if key in _WHOLE:
        is_wanted = table.boolean(key, default=True)
        words = table.choice("words", WORDS, "staff" if key == "site_staff" else "responder")
        if not is_wanted:
            table.refuse(key, "is false, so the target means nothing", f"write {key} = true, or remove the target")
        table.done()
        return Target(kind=_WHOLE[key], words=words) if is_wanted else None
    kind, thing = _NAMED[key]
    name = table.text(key)
    words = table.choice("words", WORDS, "responder")
    table.done()
    if name is None or not reading.known(thing, name, table, key):
        return None
    return Target(kind=kind, id=name, words=words)


def _loudspeakers(table: Table) -> Target | None:
    """Which loudspeakers a site has, and what they can say, stands elsewhere: lint compares."""
    loudspeakers = table.text(LOUDSPEAKERS, maximum=NAME_CHARACTERS_MAX)
    announcement = table.required_text("announcement", "lockdown", maximum=NAME_CHARACTERS_MAX)
    table.done()
    if loudspeakers is None:
        return None
    return Target(kind=TargetKind.LOUDSPEAKERS, id=loudspeakers, announcement=announcement)
