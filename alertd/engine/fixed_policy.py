"""What alertd says and does when the configuration has nothing to say: plain words to everyone on the site's staff.

Used for a press whose class has no policy, for an event that the engine cannot handle, and for single templates that a
policy leaves out. Must always be there, so it depends on no configuration at all.
"""

from alertd.engine.call_templates import CALL_TEMPLATES
from alertd.engine.drill_templates import REAL_TEMPLATES
from alertd.model.ids import PolicyId
from alertd.model.policy import Policy, Step, Target, TargetKind

FIXED_HASH = "fixed-1"

FIXED_POLICY = Policy(
    id=PolicyId("fixed"),
    incident_class="",
    steps=(Step(targets=(Target(kind=TargetKind.SITE_STAFF),), wait_s=30),),
    templates={
        "alert.responder": "{site} {where}: {what} {time}. {who}. Call or radio 911 if in doubt. "
        "Reply 4{token} going, 6{token} cannot go.",
        "alert.staff": "{site}: {what} {time} at {short_where}. Do as trained.",
        "also.responder": "{site} {also_where} ALSO {also_did} {also_time}, {also_who}. "
        "First: {first_where} {first_time}. Reply 4{token} going, 6{token} cannot go.",
        "also.staff": "{site}: {what} continues, {also_time}. Do as trained.",
        "late.responder": "{site} {short_where}: {what} {did} BETWEEN {between}, heard only now. {who}. "
        "Reply 4{token} going, 6{token} cannot go.",
        "reminder.responder": "{site} {short_where}: {what} since {time}, NOBODY HAS ANSWERED "
        "({minute}, notice {notice}). Call or radio 911. Reply 4{token} going, 6{token} cannot go.",
        "reminder.staff": "{site}: {what} since {time} continues. Do as trained.",
        "exhausted.responder": "{site} {short_where}: {what} {time}. People tried: {tried}, NOBODY ANSWERED. "
        "Call 911 now. School {phone}. Trying every 2 min. Reply 4{token} going.",
        "not_arrived.responder": "{site} {short_where}: {what} {time}. {name} said going, no arrival by {minute}. "
        "Reply 4{token} going, 5{token} arrived, 6{token} cannot go.",
        "digest.responder": "{site} {where}: {device}, {alarms} alarms within an hour. No more texts about it until it "
        "is calm. Not an emergency. Reply 4{token} going.",
        "digest_site.responder": "{site}: {alarms} sensor alarms within an hour, the last at {short_where}. No more "
        "texts about them until it is calm. Not an emergency.",
        "correction.responder": "{site} {short_where}: {time} {what} was {mistake}, says {by} {minute}. "
        "911 is told; police decide.",
        "correction.staff": "{site}: {time} {what} was {mistake}, says {by} {minute}.",
        "correction.locked.responder": "{site} {short_where}: {time} {what} was {mistake}, says {by} "
        "{minute}. Rooms STAY LOCKED until released in person. 911 is told; police decide.",
        "correction.locked.staff": "{site}: {time} {what}, no threat found so far, {by} {minute}. STAY LOCKED until "
        "your room is released in person. Do not open, do not call.",
        "closing.responder": "{site} {short_where}: {what} of {time} was closed {minute} by {by}.",
        "closing.staff": "{site}: {what} of {time} was closed {minute} by {by}.",
        "answer.going": "{site} {short_where}: you are GOING, {minute}. Also going: {others}. "
        "Reply 5{token} when you arrive, 6{token} if you cannot.",
        "answer.arrived": "{site} {short_where}: you ARRIVED, {minute}. Text what you see in plain words; "
        "it goes to the team.",
        "answer.cannot_go": "{site} {short_where}: noted, you CANNOT go, {minute}. Calling the next person now.",
        "answer.closed": "{headlines} was closed {time} by {by}. Your {code} changed nothing. {rest}",
        "answer.ambiguous": "NOTHING counted yet, {count} are open. {headlines}",
        "answer.not_counted": "NOT counted as an answer. {headlines}: reply 4{token} going, 6{token} cannot go.",
        "answer.words": "NOT counted as an answer. Your words went to the team. {headlines}: reply 4{token} going, "
        "6{token} cannot go.",
        "answer.upgraded": "{site} {short_where}: {what} is on, as you asked, {minute}. Reply 4{token} going.",
        "answer.unused": "NOT counted: {code} means nothing here. {headlines}: reply 4{token} going, "
        "6{token} cannot go.",
        "note.responder": "{site} {short_where}: {name} texts, unverified: {reason}",
        "dispatch.accepted": "{site} {short_where}: 911 center ACCEPTED {minute}, call {call_number}. "
        "Do not call again unless you have news.",
        "dispatch.not_told": "{site} {short_where}: 911 center has NOT confirmed {what} of {time}. Call 911 now.",
        "trouble.responder": "alertd trouble at {site}: {summary}",
        "trouble_cleared.responder": "alertd trouble at {site} is over: {summary}",
        "supervisory.responder": "alertd SUPERVISORY at {site} since {time}: {summary}",
        "supervisory_cleared.responder": "alertd supervisory at {site} is over, {minute}: {summary}",
        "test.responder": "This is a TEST from alertd for {name}, {site} {minute}. Nothing happened. No reply needed.",
        "fallback": "{site} {where}: PANIC BUTTON {time}, {who}. alertd could not work out more. Go and look now, "
        "call 911 if in doubt.",
        **CALL_TEMPLATES,
        **REAL_TEMPLATES,
    },
)
