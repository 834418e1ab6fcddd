"""Two receivers that we did not write: ffmpeg and GStreamer, in the loudspeakers' namespace, each to a WAV file."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from alertd_adapters.rtp import wav
from tests.adapters.rtp.two_networks import Network, needed

ENCODINGS = {"g711u": (0, "PCMU"), "g722": (9, "G722")}
RATES = {"g711u": 8_000, "g722": 16_000}


@contextlib.contextmanager
def ffmpeg(network: Network, folder: Path, group: str, codec: str) -> Iterator[Path]:
    """Receives until the block ends; the file is complete after it."""
    needed("ffmpeg")
    host, _, port = group.partition(":")
    payload_type, encoding = ENCODINGS[codec]
    session = folder / f"{host}.sdp"
    session.write_text(
        f"v=0\no=- 0 0 IN IP4 {host}\ns=PA\nc=IN IP4 {host}/16\nt=0 0\n"
        f"m=audio {port} RTP/AVP {payload_type}\na=rtpmap:{payload_type} {encoding}/8000\n"
    )
    made = folder / f"ffmpeg-{host}.wav"
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-protocol_whitelist", "file,udp,rtp", "-i", str(session)]
    with network.running([*command, "-y", str(made)], stderr=subprocess.DEVNULL):
        network.wait_for_listeners(host, 1)
        yield made


@contextlib.contextmanager
def gstreamer(network: Network, folder: Path, group: str, codec: str) -> Iterator[Path]:
    needed("gst-launch-1.0")
    host, _, port = group.partition(":")
    payload_type, encoding = ENCODINGS[codec]
    made = folder / f"gstreamer-{host}.wav"
    decode = {
        "g711u": ["rtppcmudepay", "!", "mulawdec"],
        "g722": ["rtpg722depay", "!", "avdec_g722", "!", "audioconvert"],
    }[codec]
    caps = f"application/x-rtp,media=audio,clock-rate=8000,encoding-name={encoding},payload={payload_type}"
    source = ["udpsrc", f"address={host}", f"port={port}", "multicast-iface=theirs", f"caps={caps}"]
    sink = ["audio/x-raw,format=S16LE", "!", "wavenc", "!", "filesink", f"location={made}"]
    command = ["gst-launch-1.0", "-q", "-e", *source, "!", "rtpjitterbuffer", "!", *decode, "!", *sink]
    with network.running(command, stderr=subprocess.DEVNULL):
        network.wait_for_listeners(host, 1)
        yield made


RECEIVERS = {"ffmpeg": ffmpeg, "gstreamer": gstreamer}


def recording(path: Path) -> wav.Recording:
    return wav.read(path.read_bytes())
