"""The words of calls where a policy has none of its own. Location first, and nothing that a voicemail should not keep.

"call.NAME" is spoken where "NAME.responder" would be texted, "call.NAME.staff" where "NAME.staff" would be. Numbers
stand in words: a voice reads "911" as nine hundred and eleven.
"""

CALL_TEMPLATES: dict[str, str] = {
    "call.alert": "{site_name}. {spoken_where}. {spoken_what}. {spoken_device} pressed at {spoken_time}. "
    "Call or radio nine one one if in doubt.",
    "call.alert.staff": "{site_name}. {spoken_what}, {spoken_time}. Do as trained. Silence this phone.",
    "call.late": "{site_name}. {spoken_where}. {spoken_what}. {spoken_device}, between {spoken_between}, "
    "and heard only now.",
    "call.also": "{site_name}. {spoken_also_where} {spoken_also_did}, at {spoken_also_time}. First was {spoken_where}, "
    "at {spoken_time}. {spoken_what} continues.",
    "call.reminder": "{site_name}. {spoken_where}. {spoken_what} since {spoken_time}. Nobody has answered. "
    "Call or radio nine one one.",
    "call.exhausted": "{site_name}. {spoken_where}. {spoken_what} since {spoken_time}. {spoken_tried} people were "
    "tried and nobody has answered. Call nine one one now.",
    "call.not_arrived": "{site_name}. {spoken_where}. {spoken_what} since {spoken_time}. {name} said going, "
    "and nobody has arrived by {spoken_minute}.",
    "call.correction": "{site_name}. {spoken_where}. The {spoken_what} of {spoken_time} was {mistake}, says "
    "{by}. Nine one one is told. Police decide.",
    "call.correction.staff": "{site_name}. The {spoken_what} of {spoken_time} was {mistake}, says {by}.",
    "call.correction.locked": "{site_name}. {spoken_where}. The {spoken_what} of {spoken_time} was {mistake}, "
    "says {by}. Rooms stay locked until released in person. Nine one one is told. Police decide.",
    "call.correction.locked.staff": "{site_name}. {spoken_what} of {spoken_time}. No threat was found so far, says "
    "{by}. Stay locked until your room is released in person. Do not open.",
    "call.prompt": "Press 4 if you are going, 6 if you cannot, star to hear it again.",
    "call.by_text": "Keys do not work in this call. To answer, text four {spoken_token} if you are going, "
    "six {spoken_token} if you cannot.",
    "call.silence": "No answer recorded. The next person is being called.",
    "call.voicemail": "{site_name}. {spoken_where}. {spoken_what}. {spoken_date}, {spoken_time} {spoken_half}. "
    "This voicemail is not an answer; others are being called. If you hear this later, call {spoken_phone} "
    "before you act.",
    "call.answer.going": "You are going to {spoken_where}. Text five {spoken_token} when you arrive.",
    "call.answer.arrived": "You have arrived. Text what you see in plain words. It goes to the team.",
    "call.answer.cannot_go": "Noted, you cannot go. The next person is being called.",
    "call.answer.upgraded": "{spoken_what} is on, as you asked.",
    "call.answer.news": "But {spoken_also_where} {spoken_also_did}, at {spoken_also_time}. "
    "Press 4 if you are going, knowing that, 6 if you cannot.",
    "call.answer.raised": "But it has become more: {spoken_what}. Press 4 if you are going, knowing that, "
    "6 if you cannot.",
    "call.answer.unused": "{code} means nothing here. Press 4 if you are going, 6 if you cannot, "
    "star to hear it again.",
    "call.answer.not_counted": "Your key was not counted. This phone is on nobody's list any more. "
    "Call {spoken_phone} and tell them.",
    "call.answer.closed": "{headlines}. It was closed at {spoken_closed} by {by}. Your key changed nothing.",
    "call.trouble": "alertd trouble at {site_name}. {summary}",
    "call.trouble_cleared": "alertd trouble at {site_name} is over. {summary}",
    "call.supervisory": "alertd supervisory signal at {site_name}. {summary}",
    "call.supervisory_cleared": "alertd supervisory signal at {site_name} is over. {summary}",
    "call.test": "{site_name}. This call is for {name}. Nothing happened. No key is needed.",
}
