"""The words of drills where a policy has none of its own, and of the moment in which a drill is real.

Without their marks: `wording` puts "THIS IS A DRILL." before and after whatever is said in a drill, so that no template
can forget it, and these leave room for it. "drill.NAME" is said where "NAME" would be: nothing here asks anybody to
call 911 for an exercise, and everything that asks somebody to come says what to do if it is real.
"""

DRILL_TEMPLATES: dict[str, str] = {
    "drill.begins": "{site}: {what} begins {time}, over by {ends}. Do as trained. "
    "Real emergency: press again or call 911.",
    "drill.goes_on": "{site}: alertd restarted {minute}. The {what} goes on until {ends}. "
    "Real emergency: press again or call 911.",
    "drill.over": "{site}: {what} of {time} ended {minute}, {why}. Whatever comes from now on is REAL.",
    "drill.alert.responder": "{site} {short_where}: {what} {time}. Do as trained. Reply 4{token} going. "
    "Real emergency: press again or call 911.",
    "drill.alert.staff": "{site}: {what} {time}. Do as trained. Real emergency: press again or call 911.",
    "drill.also.responder": "{site} {also_where} ALSO {also_time}. {what}. Reply 4{token} going. "
    "Real emergency: call 911.",
    "drill.also.staff": "{site}: {what} continues, {also_time}. Do as trained. Real emergency: call 911.",
    "drill.late.responder": "{site} {short_where}: {what} PRESSED BETWEEN {between}. Reply 4{token} going. "
    "Real emergency: call 911.",
    "drill.late.staff": "{site}: {what} pressed BETWEEN {between}. Do as trained. Real emergency: call 911.",
    "drill.reminder.responder": "{site} {short_where}: {what} since {time}, NOBODY HAS ANSWERED (notice {notice}). "
    "Reply 4{token} going, 6{token} cannot go.",
    "drill.reminder.staff": "{site}: {what} since {time} continues. Do as trained.",
    "drill.exhausted.responder": "{site} {short_where}: {what} {time}. People tried: {tried}, NOBODY ANSWERED. "
    "Reply 4{token} going, 6{token} cannot go.",
    "drill.not_arrived.responder": "{site} {short_where}: {what} {time}. {name} said going, no arrival by {minute}. "
    "Reply 5{token} arrived.",
    "drill.correction.responder": "{site} {short_where}: {what} of {time} was {mistake}, says {by} {minute}.",
    "drill.correction.staff": "{site}: {what} of {time} was {mistake}, says {by} {minute}.",
    "drill.closing.responder": "{site} {short_where}: {what} of {time} was closed {minute} by {by}.",
    "drill.closing.staff": "{site}: {what} of {time} was closed {minute} by {by}.",
    "drill.note.responder": "{site} {short_where}: {name} texts, unverified: {reason}",
    "drill.dispatch.accepted": "{site} {short_where}: 911 center ACCEPTED the exercise {minute}, call {call_number}.",
    "drill.dispatch.not_told": "{site} {short_where}: 911 center has NOT confirmed the exercise of {time}.",
    "drill.call.alert": "{site_name}. {spoken_where}. {spoken_what}. {spoken_device} pressed at {spoken_time}. "
    "Do as trained. In a real emergency press again, or call nine one one.",
    "drill.call.alert.staff": "{site_name}. {spoken_what}, {spoken_time}. Do as trained.",
    "drill.call.late": "{site_name}. {spoken_where}. {spoken_what}. {spoken_device} pressed between {spoken_between}.",
    "drill.call.also": "{site_name}. {spoken_also_where} {spoken_also_did}, at {spoken_also_time}. {spoken_what} "
    "continues.",
    "drill.call.reminder": "{site_name}. {spoken_where}. {spoken_what} since {spoken_time}. Nobody has answered.",
    "drill.call.exhausted": "{site_name}. {spoken_where}. {spoken_what} since {spoken_time}. {spoken_tried} people "
    "were tried and nobody has answered.",
    "drill.call.correction": "{site_name}. {spoken_where}. The {spoken_what} of {spoken_time} was {mistake}, "
    "says {by}.",
    "drill.call.correction.staff": "{site_name}. The {spoken_what} of {spoken_time} was {mistake}, says {by}.",
    "drill.call.voicemail": "{site_name}. {spoken_where}. {spoken_what}. {spoken_date}, {spoken_time} {spoken_half}. "
    "This voicemail is not an answer.",
    "drill.call.begins": "{site_name}. {spoken_what} begins now. Do as trained. "
    "In a real emergency press again, or call nine one one.",
    "drill.call.goes_on": "{site_name}. alertd was restarted. The {spoken_what} goes on. "
    "In a real emergency press again, or call nine one one.",
    "drill.call.over": "{site_name}. The {spoken_what} has ended. Whatever comes from now on is real.",
}
"""Names as in policies."""

REAL_TEMPLATES: dict[str, str] = {
    "real.others": "{site} {short_where}: {what} {time}. The drill is over, and others are called to this.",
    "call.real.key": "Your key was for the drill, and changed nothing.",
    "call.real.others": "{site_name}. {spoken_where}. {spoken_what}. The drill is over, and others are called to this.",
}
"""The first that somebody who was told of a drill, and is not called to it, hears of the press that was real. Who is
called reads what their policy says on any other day, or its own "real.responder" and "real.staff". Without their mark,
too."""
