"""The doors of the daemon: what adapters implement, and what they are given. Adapters see this and `alertd.model` only.

world      time, and the way out over HTTP
sources    where presses come from, and the door they go in by
decoders   payloads of one family of devices
channels   how somebody is told, and what comes back
plugins    what an entry point names
settings   a section of the configuration, read
profiles   sources and devices, checked and explained
store      durable truth

Import from here: `from alertd.ports import Channel`. In which of the files a name stands may change, and is no part of
the contract that `API_VERSION` numbers.
"""

from alertd.ports.channels import (
    PROBE_WAIT_S,
    Activity,
    Callbacks,
    Channel,
    ChannelLimits,
    Found,
    Inbound,
    OneAtATime,
    Probe,
    Recalling,
)
from alertd.ports.decoders import (
    PAYLOAD_MAX_BYTES,
    Answering,
    Asking,
    CheckInDecoder,
    DecodeError,
    Decoder,
    Downlink,
    Learning,
    Question,
    UncoveredError,
    Understood,
)
from alertd.ports.plugins import (
    API_VERSION,
    Built,
    DecoderPlugin,
    Paced,
    Plugin,
    SpeakingDecoderPlugin,
    SurroundedDecoderPlugin,
    Surroundings,
    Voices,
)
from alertd.ports.profiles import Explained, Fit, ProfileProblem, Profiles, Reads, Says, Step
from alertd.ports.settings import NotHereError, SettingsError, read_settings
from alertd.ports.sources import (
    STRANGERS_MAX,
    Door,
    Feedback,
    Listening,
    NotCommittedError,
    Overhearing,
    Resuming,
    Sample,
    Source,
    Stranger,
)
from alertd.ports.store import (
    DueTimer,
    JournalLine,
    OutboxCount,
    Store,
    StoreError,
    StoreFullError,
    StoreLockedError,
    Transaction,
)
from alertd.ports.world import Clock, Http, HttpNoAnswerError, HttpNotSentError, HttpRequest, HttpResponse

__all__ = [
    "API_VERSION",
    "PAYLOAD_MAX_BYTES",
    "PROBE_WAIT_S",
    "STRANGERS_MAX",
    "Activity",
    "Answering",
    "Asking",
    "Built",
    "Callbacks",
    "Channel",
    "ChannelLimits",
    "CheckInDecoder",
    "Clock",
    "DecodeError",
    "Decoder",
    "DecoderPlugin",
    "Door",
    "Downlink",
    "DueTimer",
    "Explained",
    "Feedback",
    "Fit",
    "Found",
    "Http",
    "HttpNoAnswerError",
    "HttpNotSentError",
    "HttpRequest",
    "HttpResponse",
    "Inbound",
    "JournalLine",
    "Learning",
    "Listening",
    "NotCommittedError",
    "NotHereError",
    "OneAtATime",
    "OutboxCount",
    "Overhearing",
    "Paced",
    "Plugin",
    "Probe",
    "ProfileProblem",
    "Profiles",
    "Question",
    "Reads",
    "Recalling",
    "Resuming",
    "Sample",
    "Says",
    "SettingsError",
    "Source",
    "SpeakingDecoderPlugin",
    "Step",
    "Store",
    "StoreError",
    "StoreFullError",
    "StoreLockedError",
    "Stranger",
    "SurroundedDecoderPlugin",
    "Surroundings",
    "Transaction",
    "UncoveredError",
    "Understood",
    "Voices",
    "read_settings",
]
