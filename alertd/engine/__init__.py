"""The functional core: `decide(state, facts, event, now) -> Decision`. No clock, random, IO, logging or await here."""
