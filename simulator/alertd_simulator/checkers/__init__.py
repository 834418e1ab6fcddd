"""Checkers: what must hold on every simulated day, judged from the stream of happenings alone.

final       what the machine holds when the day is over
conditions  is the daemon up, which faults are on, what does the machine's clock show
records     a mirror of what was committed, and of what became of each row
checker     what a checker is
judge       shows the stream to all of them

Safety, at every moment
  presses     promise 1: what was acknowledged is in an incident, or was paged; what arrived is taken up
  survival    promise 1: what was committed outlives every crash
  radius      promise 6: one press, one site
  numbers     req 62: no emergency number; promise 3: no drill reaches dispatch
  drills      promise 3: what may be a drill, its marks, what is said when it is real, and how it ends
  contents    one id, one content
  sending     claims: not after the end, not past the expiry, once, and along the life cycle
  answering   promise 5: only a human's answer acknowledges
  promptness  promise 2: a panic's first text; no open lockdown is silent; a further room is told
  loudspeakers  what is said at once and again, what never, and when there is quiet
  cutting     later words cut earlier ones, an old order for quiet cuts nothing new, a drill that is over is silent
  timing      deadlines run on boot time: no timer is early, lost or late; steps take their time
  reasons     promise 4: every decision says why
  knowledge   promise 5: nothing is claimed that nobody said
  sensors     req 65 to 73: heard, told to few and once, never a panic alone, never over the sender of presses
  lasting     promise 2: a state that lasts is one call for help, and another one once the device has ended it
  device_tests  promise 2: what may be a test of one device, and that nothing else is
  supervising req 29, 30: who is silent is missed, and nobody else; a gateway takes its own with it
  speaking    promise 6: nobody presses with another's password, and the access list keeps no press away
  unmeasured  promise 5: what waited at the broker, and when alertd was away, is written down

Liveness, once everything has healed
  reaching    everybody who should be asked was asked, and the asking goes on
  settling    outbox, troubles, timers, journal, broker: nothing is left undone

They share no code with `alertd.engine`: what they expect is written down here once more.
"""
