"""Policies: who is told when, what they read, who must answer. Frozen into an incident when it opens."""

from enum import StrEnum

from msgspec import Struct

from alertd.model.ids import PolicyId


class TargetKind(StrEnum):
    PERSON = "person"
    GROUP = "group"
    SCHEDULE = "schedule"
    DESTINATION = "destination"
    """A dispatch centre or webhook, by destination id."""
    LOUDSPEAKERS = "loudspeakers"
    """Loudspeakers of the site, by the name that it gives them; they say an `announcement` of their channel."""
    SITE_STAFF = "site_staff"
    """Everyone of kind staff or responder at the site."""
    DISTRICT = "district"
    """The district's own people: those of the pseudo-site "district", never other schools'."""


class Target(Struct, frozen=True, kw_only=True):
    """Whom to tell; `words` chooses the template of people: "responder" or "staff"."""

    kind: TargetKind
    id: str = ""
    words: str = "responder"
    announcement: str = ""
    """What loudspeakers say: the name of an announcement of their channel."""


class Step(Struct, frozen=True, kw_only=True):
    """One rung. It begins when the step before ran out of time (the first begins at once).

    `answers`: sufficient acknowledgements ("going", "arrived", or a click) that pause the escalation.
    `answer_from`: groups whose people's answers count; empty = anybody who was told.
    `wait_s`: time to answer before the next step begins.
    """

    targets: tuple[Target, ...]
    channels: tuple[str, ...] = ()
    """Channels to use, in parallel; empty = the person's first working endpoint."""
    wait_s: int = 30
    answers: int = 1
    answer_from: tuple[str, ...] = ()


class Corroboration(Struct, frozen=True, kw_only=True):
    """What follows when a sensor's unconfirmed alarm (gunshot, keyword) is borne out: by a second sensor of the school,
    or by a human's press, within `within_s` of each other (req 70)."""

    within_s: int = 60
    raises: str = ""
    """The incident class that it becomes; empty: it is told as news, and only a human makes more of it."""
    by_press: bool = True
    """A press for help counts, of whatever class but medical and fire."""


class Policy(Struct, frozen=True, kw_only=True):
    """Escalation of one incident class at a site.

    `templates`: name -> text, e.g. "alert.responder", "alert.staff", "also.responder", "reminder.responder",
    "exhausted.responder", "correction.responder" (see `engine.wording`).
    `cancel_window_s` may be non-zero for staff assist only (promise 2).
    `arrive_within_s`: an acknowledgement lapses if nobody has arrived by then.
    `expires_s`: a text is worthless later than this after it was written.
    """

    id: PolicyId
    incident_class: str
    steps: tuple[Step, ...]
    templates: dict[str, str]
    cancel_window_s: int = 0
    arrive_within_s: int = 300
    expires_s: int = 300
    late_confirm_s: int = 300
    """A late press: PA and dispatch wait this long for a human, then go on their own."""
    renotify_s: int = 14400
    """A trouble is repeated after this long until it is cleared or acknowledged (req 29: at most 4 h)."""
    corroborated: Corroboration = Corroboration()
    """Of the classes that wait for corroboration."""
    announce_again_s: tuple[int, ...] = ()
    """Seconds after which the loudspeakers say their announcement again; then they are quiet, for police."""
