"""Families of real devices as they really speak: payload makers, for `alertd-sim devices` and for the simulated world.

`catalogue` lists what can be played and what cannot, and why. A maker turns one `Said` into the messages that the
device, its gateway or its server publishes: bytes where it sends bytes, with the counters, times and identities that
the family has. Must never know what alertd makes of it; tests hold each maker against alertd's own profiles.
"""
