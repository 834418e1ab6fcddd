"""Decoders: what the bytes of a payload mean. No network, no clock: bytes in, signals out.

Any source finds them by entry point (`alertd.decoders`), as it finds a third party's.
"""
