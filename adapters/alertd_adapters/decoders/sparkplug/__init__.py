"""Sparkplug B: protobuf payloads whose names are said once, at birth, and are numbers from then on.

`wire` reads and writes the protobuf, `nodes` keeps what births said. `mapping.sparkplug` puts both in front of the
mapping, whose source profile `sparkplug-b` and device profiles say what it all means.
"""
