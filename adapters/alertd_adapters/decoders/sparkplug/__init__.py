"""Sparkplug B: protobuf payloads whose names are said once, at birth, and are numbers from then on.

`wire` reads and writes the protobuf, `nodes` keeps what births said. `mapping.sparkplug` puts both in front of the
mapping, whose source profile `sparkplug-b` and device profiles say what it all means.

The protobuf is a library's (`protobuf`); the state is ours, for no library that was looked at (November 2026) keeps
it as a school needs it. pysparkplug 0.6 turns a number into a name if it is handed the birth, and keeps nothing.
aiospb 8.1 (needs Python 3.12) counts `seq` and `bdSeq`, behind an MQTT client of its own, and throws away what comes
before its birth, or waits when something is lost: each may be a press. mqtt-spb-wrapper 2.1 needs protobuf 3.20, and
Eclipse Tahu's Python is an example. None can forget what no commit has taken, so that the broker's redelivery means
the same again.
"""
