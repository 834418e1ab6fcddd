"""Mutants of what happens when the engine fails: whom the fixed fallback tells, of what, and what it ends."""

from mutation.mutant import By, Edit, Mutant, Story, Tests

FALLBACK = "alertd/engine/fallback.py"


def _mutant(name: str, old: str, new: str, by: By) -> Mutant:
    return Mutant(name=f"a defect: {name}", edits=(Edit(file=FALLBACK, old=old, new=new),), by=by)


def _tests(names: str) -> Tests:
    return Tests(paths=("tests/engine/test_fallback.py",), names=names)


IN_A_DRILL = "drill_and_a_press_that_the_engine_cannot_handle"

FALLING_BACK = (
    _mutant(
        "a press that comes again is told again",
        "    if _is_copy(facts, event, now):\n",
        "    if False:\n",
        _tests("everybody is paged twice for one press"),
    ),
    _mutant(
        "a press of a number that is used again is taken for known",
        'event.cause if facts.seen_us is None else f"{event.cause}/{event.received_us}"',
        "event.cause",
        _tests("promise 2: they are taken for known"),
    ),
    _mutant(
        "a device's own word for how long a number is one press means nothing",
        "(event.signal.same_s or DUPLICATE_S)",
        "DUPLICATE_S",
        _tests("promise 2: a press pages nobody"),
    ),
    _mutant(
        "what was known before the clock was set back is known for ever",
        "abs(now.wall_us - facts.seen_us)",
        "now.wall_us - facts.seen_us",
        _tests("promise 2: a press pages nobody"),
    ),
    _mutant(
        "each copy keeps a number known for an hour more",
        "replace(seen, cause=None, entries=(entry, known))",
        "replace(seen, entries=(entry, known))",
        _tests("promise 2: a button that counts anew pages nobody, for ever"),
    ),
    _mutant(
        "a shot of a number that is used again is taken for known",
        "occasion=_occasion(facts, event), lane=Lane.NEXT)",
        "occasion=event.cause, lane=Lane.NEXT)",
        _tests("a second shot is taken for the first"),
    ),
    _mutant(
        "an exercise that is not followed is told as real",
        "    if incident.mode is Mode.DRILL:\n",
        "    if False:\n",
        _tests("promise 3: an exercise reads as an emergency"),
    ),
    _mutant(
        "an exercise that is not followed is told to everybody",
        "UNFOLLOWED_DRILL, _drilled(state, facts, incident), Lane",
        "UNFOLLOWED_DRILL, _everybody(state, facts), Lane",
        _tests("an exercise goes beyond those who take part"),
    ),
    _mutant(
        "an exercise that is over is told on",
        "    if state.drill is None:\n        return ()\n    heard",
        "    if state.drill is None:\n        return _everybody(state, facts)\n    heard",
        _tests("promise 3: an exercise after its end"),
    ),
    _mutant(
        "a press that is not followed does not say that no drill runs",
        '    mark, after = _still_real(state, now), ""\n',
        '    mark, after = "", ""\n',
        _tests("promise 3 broken"),
    ),
    _mutant(
        "nobody is asked again about a shot",
        "    elif incident.incident_class in VERIFY_FIRST:\n        people",
        "    elif False:\n        people",
        _tests("nobody is asked again"),
    ),
    _mutant(
        "a shot that is not followed is told to everybody",
        "        people = _named(state, facts, incident.incident_class, now)\n        template",
        "        people = _everybody(state, facts)\n        template",
        _tests("req 70: those whom its policy names, nobody else"),
    ),
    _mutant(
        "an assist whose cancel window nobody can end is told to nobody",
        "_CALLING = (TimerKind.STEP, TimerKind.WIDEN, TimerKind.CANCEL_WINDOW)\n",
        "_CALLING = (TimerKind.STEP, TimerKind.WIDEN)\n",
        _tests("nobody is asked again"),
    ),
    _mutant(
        "whoever is asked to go hears of no mistake, and of no end",
        "        incidents=(replace(incident, told=(*incident.told, *_asked(incident, people))),),\n",
        "",
        _tests("somebody goes where nobody needs help"),
    ),
    _mutant(
        "whoever is asked to go again stands there again",
        " for k, p in asked.items() if k not in before)",
        " for k, p in asked.items())",
        _tests("grows with each time that they are asked"),
    ),
    _mutant(
        "the end of a state is a press",
        "event.retained or event.signal.ends:\n",
        "event.retained:\n",
        _tests("nobody pressed, and the whole school is paged"),
    ),
    _mutant(
        "a broker's memory is a press",
        "event.retained or event.signal.ends:\n",
        "event.signal.ends:\n",
        _tests("nobody pressed, and the whole school is paged"),
    ),
    _mutant(
        "a broker's memory of a press makes the press a copy",
        ' or getattr(event, "retained", False)',
        "",
        _tests("promise 1: the press that comes from the queue is taken for known"),
    ),
    _mutant(
        "a press ends no drill",
        "        drill=believed,\n",
        "",
        _tests("the drill goes on beside what is real"),
    ),
    _mutant(
        "a press ends no drill, which speaks on",
        "        drill=believed,\n",
        "",
        Story(name=IN_A_DRILL),
    ),
    _mutant(
        "whose phone rang in a drill has read of its end",
        "told=drill.told_with(i for id_ in drill.incident_ids",
        "told=drill.told_with(i for id_ in ()",
        _tests("a call goes on in the drill"),
    ),
    _mutant(
        "whose phone rang in a drill has read of its end, and is called to it",
        "told=drill.told_with(i for id_ in drill.incident_ids",
        "told=drill.told_with(i for id_ in ()",
        Story(name="called_in_a_drill_that_the_engine_ends", trips=("drill believed",)),
    ),
    _mutant(
        "a press is followed by the end of the drill before it",
        "        withdrawals=() if believed is None else (_NO_MORE_DRILL,),\n",
        "        withdrawals=() if state.drill is None else (_NO_MORE_DRILL,),\n",
        _tests("the press looks like its last act"),
    ),
    _mutant(
        "the end of the drill before it that failed is tried again after a press",
        "return None if over is None else replace(over, overtaken=True, before=_overtaken(over.before))",
        "return over",
        _tests("the press looks like its last act"),
    ),
    _mutant(
        "a drill of last week is stopped",
        "return over if unaware and abs(now.wall_us - over.ended_us) <= BELIEVED_US else None",
        "return over if unaware else None",
        _tests("a drill of last week is stopped"),
    ),
    _mutant(
        "who began a drill from elsewhere goes on with it",
        "_rows(state, now, _with_believers(facts, believed, _everybody(state, facts)), message)",
        "_rows(state, now, _everybody(state, facts), message)",
        _tests("somebody goes on with the drill"),
    ),
    _mutant(
        "a press leaves a drill what it had still to say",
        "        withdrawals=() if believed is None else (_NO_MORE_DRILL,),\n",
        "",
        _tests("promise 3 broken"),
    ),
    _mutant(
        "phones that ring for a drill ring on",
        "        recall=believed is not None,\n",
        "",
        _tests("a phone that rings for the drill rings on"),
    ),
    _mutant(
        "loudspeakers end the word of the drill",
        "(*told, *_hushed(state, facts, event, now))",
        "told",
        Story(name=IN_A_DRILL, trips=("later cuts earlier",)),
    ),
    _mutant(
        "what was delivered counts as failed",
        "    Delivered: NotificationState.DELIVERED,\n",
        "",
        _tests("whoever was told stands there as not told"),
    ),
)
