"""Every mutant, in the order in which they are tried."""

from mutation.arriving import ARRIVING
from mutation.calling import CALLING
from mutation.decoding import DECODING
from mutation.drilling import DRILLING
from mutation.going_on import GOING_ON
from mutation.loudspeakers import LOUDSPEAKERS
from mutation.mutant import Mutant
from mutation.quick import QUICK
from mutation.telling import TELLING

MUTANTS: tuple[Mutant, ...] = (*QUICK, *DECODING, *ARRIVING, *TELLING, *GOING_ON, *LOUDSPEAKERS, *CALLING, *DRILLING)
