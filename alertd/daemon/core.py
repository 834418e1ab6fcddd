"""The engine, as the door calls it. Only who puts a daemon together imports this; tests may pass another `Core`."""

from alertd.daemon.intake import Core
from alertd.engine import fallback
from alertd.engine.decide import decide
from alertd.engine.routing import route

CORE = Core(route=route, decide=decide, page=fallback.page)
