"""The world around alertd, simulated: devices, people, a carrier, a dispatch centre, a broker, and time itself.

Owns behaviour that is faithful enough to be judged by: actors are sans-IO state machines on the running event loop, so
the same carrier works in virtual time (tests) and on a real loopback port (the demo). Must never be imported by
`alertd` or by an adapter, and must never open anything but a loopback address.
"""
