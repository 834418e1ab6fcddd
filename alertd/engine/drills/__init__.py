"""Drills: when one begins, which presses belong to it, what makes it real, and how it ends.

Five rules, all of them from `messages.md` and promise 3:

1. Of a drill is only the first gesture of a device that was named, in its window, and no graver than what is drilled.
   Every other press of a panic is live, and so is every one in doubt. Sensors stay live in their quiet way.
2. A live press ends the drill in the decision that takes it up: whatever the drill has not said is withdrawn, and
   whoever was told of it hears "DRILL STOPPED, THIS IS REAL." before anything else.
3. It ends by itself after its minutes, and whoever heard that it began hears that it is over. Who cannot be told is a
   trouble: somebody has to go and say it.
4. A live press that comes while not everybody knows that it is over is one that stopped it, for those who do not know:
   "DRILL STOPPED, THIS IS REAL." first, and no "THE DRILL IS OVER" after it, which would make the press look like its
   last act. Not the other way round, the end before the press: that would let an exercise delay what is real.
5. It survives a restart, and whoever was told hears of that, too.

Must never take a mode from anybody: `Mode.DRILL` comes from the site's own row, here and nowhere else.
"""

from alertd.engine.drills.endings import align, close_left_over, keep_told, on_end, on_found, on_timer
from alertd.engine.drills.notices import notice_id
from alertd.engine.drills.orders import MINUTES_MAX, MINUTES_MIN, drill_id, on_order, why_not, why_over
from alertd.engine.drills.presses import Gesture, mode_of, mode_of_request, opened
from alertd.engine.drills.real import say_it_is_real, stop

__all__ = [
    "MINUTES_MAX",
    "MINUTES_MIN",
    "Gesture",
    "align",
    "close_left_over",
    "drill_id",
    "keep_told",
    "mode_of",
    "mode_of_request",
    "notice_id",
    "on_end",
    "on_found",
    "on_order",
    "on_timer",
    "opened",
    "say_it_is_real",
    "stop",
    "why_not",
    "why_over",
]
