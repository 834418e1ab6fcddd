"""Every mutant, in the order in which they are tried."""

from mutation.arriving import ARRIVING
from mutation.brokering import BROKERING
from mutation.calling import CALLING
from mutation.clocks import CLOCKS
from mutation.decoding import DECODING
from mutation.device_families import DEVICE_FAMILIES
from mutation.doubting import DOUBTING
from mutation.drilling import DRILLING
from mutation.falling_back import FALLING_BACK
from mutation.going_on import GOING_ON
from mutation.going_silent import GOING_SILENT
from mutation.learning import LEARNING
from mutation.loudspeakers import LOUDSPEAKERS
from mutation.mutant import Mutant
from mutation.quick import QUICK
from mutation.remembering import REMEMBERING
from mutation.sensing import SENSING
from mutation.supervising import SUPERVISING
from mutation.telling import TELLING
from mutation.unheard import UNHEARD

MUTANTS: tuple[Mutant, ...] = (
    *QUICK,
    *DECODING,
    *DEVICE_FAMILIES,
    *LEARNING,
    *BROKERING,
    *UNHEARD,
    *ARRIVING,
    *REMEMBERING,
    *SUPERVISING,
    *GOING_SILENT,
    *CLOCKS,
    *DOUBTING,
    *FALLING_BACK,
    *TELLING,
    *GOING_ON,
    *LOUDSPEAKERS,
    *CALLING,
    *DRILLING,
    *SENSING,
)
