"""Frozen values: what alertd speaks about. No IO, no clock, no behaviour beyond what a value knows of itself.

Values are `msgspec.Struct`s rather than dataclasses: one definition is the type, the validator and the codec of what
is stored, and building one is several times cheaper on the path of a press.

Units: `*_us` is microseconds (UTC wall clock since the epoch unless the name says `boot`), `*_s` is seconds.
"""
