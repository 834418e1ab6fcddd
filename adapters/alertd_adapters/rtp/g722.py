"""G.722: wideband speech at 64 kbit/s, by PyAV, which carries ffmpeg's encoder.

Understood by most desk phones and by many loudspeakers, not by all. Needs the extra `alertd[g722]`: PyAV is a hundred
megabytes, and a school whose loudspeakers take µ-law should not have to trust them.
"""

from importlib.util import find_spec

from alertd_adapters.rtp.samples import Samples

PAYLOAD_TYPE = 9
RATE_HZ = 16000
"""Samples; the RTP clock of G.722 is 8000 all the same, by an old mistake that RFC 3551 §4.5.2 keeps for ever."""
_FRAME = 320
"""20 ms."""
REMEDY = "install it with: pip install 'alertd[g722]', or use codec = \"g711u\""


def why_missing() -> str | None:
    """What cannot be done without PyAV, or `None` if it is there."""
    return None if find_spec("av") else f"G.722 is encoded by PyAV, which is not installed: {REMEDY}"


def encode(samples: Samples) -> bytes:
    """16-bit samples at `RATE_HZ`: one byte for two of them. Raises `ImportError` without PyAV."""
    import av  # noqa: PLC0415 - an extra

    encoder = av.CodecContext.create("g722", "w")
    encoder.sample_rate = RATE_HZ
    encoder.format = "s16"
    encoder.layout = "mono"
    made = bytearray()
    for start in range(0, len(samples), _FRAME):
        frame = av.AudioFrame(format="s16", layout="mono", samples=_FRAME)
        frame.sample_rate = RATE_HZ
        frame.pts = start
        data = samples[start : start + _FRAME].tobytes()
        frame.planes[0].update(data.ljust(frame.planes[0].buffer_size, b"\0"))
        for packet in encoder.encode(frame):
            made += bytes(packet)
    for packet in encoder.encode(None):
        made += bytes(packet)
    return bytes(made[: (len(samples) + 1) // 2])
