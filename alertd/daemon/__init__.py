"""The imperative shell: asyncio lives here. Everything that happens is an `Event` and enters by `intake`; everything
that follows is committed before any of it leaves the building.

    source → intake → (decide) → store → dispatch → channel      the path of a press, each file one hop

Around it: `timers` and `recovery` bring back what waits in rows, `supervision` keeps the tasks running,
`proof_of_life` tells somebody outside that we are here, `telemetry` counts.
"""
