"""The conformance kit: what a vendor or an integrator runs against their own device or gateway.

`steps` is the checklist, `listening` walks somebody through it at a real broker and writes a `transcript`, `judge` says
of a transcript what passed, failed or was not seen, `report` puts it into words. Judging needs no device: transcripts
can be kept, sent and judged again. Must never publish anything but the feedback of one step, and pages nobody.
"""
