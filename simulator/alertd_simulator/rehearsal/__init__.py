"""Rehearsal: a district's own configuration, through many invented days in the simulated world.

    subjects     what can be rehearsed: site × incident class, and the gestures that trigger it
    assumptions  what is taken for granted of people, phones and carriers: stated, and replaceable by a TOML file
    days         the plans of the days; one press each
    parts        what can be taken away: a person's phone, a channel, a destination, the way to the internet
    measures     pure: what the happenings of one day say
    findings     pure: what many days say together, and what they hang on
    running      runs the plans, on every core
    report       the whole as one value; `page` writes it as HTML, `screen` for a terminal

Owns no rule of alerting: it watches the real daemon. Must never need a secret, write into the configuration, or let
anything leave the machine.
"""
