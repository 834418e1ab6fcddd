"""What is heard, and in which order; what is rendered when; what is refused at load."""

import shutil
from hashlib import sha256

import pytest

from alertd.model.mode import Mode
from alertd.ports import NotHereError, SettingsError
from alertd_adapters.rtp import announcements_of, g722
from alertd_adapters.rtp.assembly import Parts, Variant, assemble, variant_of
from alertd_adapters.rtp.clips import ClipFolder
from alertd_adapters.rtp.rendering import RENDERING
from alertd_adapters.rtp.settings import parse_settings
from alertd_adapters.rtp.speech import SpeechError, Voice, plain
from tests.adapters.rtp.test_codecs import wav_file
from tests.adapters.rtp.world import SECTION, hum
from tests.adapters.rtp.world import Voice as Hums

RATE = 8_000
WORDS, MARK = hum(440, 0.5).samples, hum(700, 0.2).samples


def parts_heard(samples, rate=RATE):
    """Stretches of sound as (start, length) in tenths of a second; quieter than 1/100 for 60 ms ends one."""
    loud = [n for n, sample in enumerate(samples) if abs(sample) > 160]
    stretches = []
    start = last = loud[0]
    for n in loud[1:]:
        if n - last > 0.06 * rate:
            stretches.append((round(start / rate, 1), round((last - start) / rate, 1)))
            start = n
        last = n
    stretches.append((round(start / rate, 1), round((last - start) / rate, 1)))
    return stretches


def announcement(variant, *, tone="hi_lo", times=2):
    return assemble(Parts(tone=tone, words=WORDS, times=times, variant=variant, mark=MARK), RATE)


def test_a_live_announcement_is_tone_words_words():
    assert parts_heard(announcement(Variant.LIVE)) == [(0.3, 2.0), (2.6, 0.5), (3.8, 0.5)]


def test_a_drill_begins_and_ends_with_its_mark_and_says_it_before_each_saying():
    heard = parts_heard(announcement(Variant.DRILL))

    assert heard == [(0.3, 0.2), (0.8, 2.0), (3.1, 0.5), (4.3, 0.2), (4.8, 0.5), (6.0, 0.2)]
    assert parts_heard(announcement(Variant.TEST)) == heard


def test_a_drill_said_once_and_without_a_tone_is_marked_all_the_same():
    assert parts_heard(announcement(Variant.DRILL, tone="none", times=1)) == [(0.3, 0.2), (0.8, 0.5), (2.0, 0.2)]


def test_a_live_page_that_ends_a_drill_says_so_first_after_the_tone_and_each_time():
    heard = parts_heard(announcement(Variant.AFTER_DRILL))

    assert heard == [(0.3, 2.0), (2.6, 0.2), (3.1, 0.5), (4.3, 0.2), (4.8, 0.5)]


def test_speech_never_begins_in_the_first_300_milliseconds_nor_ends_with_the_last_packet():
    for variant in Variant:
        samples = announcement(variant, tone="none")
        assert not any(samples[: round(0.3 * RATE)])
        assert not any(samples[-round(0.2 * RATE) :])


def test_a_drill_or_test_is_marked_whatever_the_page_says():
    assert variant_of(Mode.DRILL, real_after_drill=True) is Variant.DRILL
    assert variant_of(Mode.TEST, real_after_drill=True) is Variant.TEST
    assert variant_of(Mode.LIVE, real_after_drill=True) is Variant.AFTER_DRILL
    assert variant_of(Mode.LIVE, real_after_drill=False) is Variant.LIVE


def test_another_sound_has_another_number():
    """Whoever changes how announcements sound must raise RENDERING: else schools go on playing the kept ones."""
    samples = assemble(Parts(tone="hi_lo", words=WORDS[:0], times=1, variant=Variant.LIVE), RATE)

    assert (RENDERING, sha256(samples.tobytes()).hexdigest()[:16]) == ("1", "f748f56d72875acd")


# --- rendering at load


def made(section=SECTION, *, voice=None, folder=None, config_dir=None):
    extra = {"pa_speak": (voice or Hums()).speak}
    extra |= {"state_dir": folder} if folder else {}
    extra |= {"config_dir": config_dir} if config_dir else {}
    return announcements_of(parse_settings(section), extra)


def test_a_check_tries_out_and_renders_nothing(tmp_path):
    voice = Hums()
    extra = {"pa_speak": voice.speak, "state_dir": tmp_path, "checking": True}

    announcements_of(parse_settings(SECTION), extra)

    assert len(voice.said) == 1, "one sentence proves program and voice"
    assert list(tmp_path.iterdir()) == []


def test_a_check_refuses_a_broken_recording_and_only_warns_of_a_program_that_is_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "bad.wav").write_bytes(b"ID3 an mp3")
    section = with_announcement(words="x", drill_recording="bad.wav")
    with pytest.raises(SettingsError, match="no WAV file"):
        announcements_of(parse_settings(section), {"config_dir": tmp_path, "checking": True})

    monkeypatch.setenv("PATH", "/nowhere")
    for checking in (True, False):
        with pytest.raises(NotHereError, match="apt install espeak-ng"):
            announcements_of(parse_settings(SECTION), {"checking": checking})


def with_announcement(**keys):
    return SECTION | {"announcements": {"lockdown": keys}}


def test_each_sentence_is_spoken_once_at_load():
    voice = Hums()

    announcements = made(voice=voice)

    assert sorted(voice.said) == sorted(
        [
            "Lockdown! Locks, lights, out of sight.",
            "Lockdown drill. Locks, lights, out of sight.",
            "Hold in your room or area. Clear the halls.",
            "This is a drill.",
            "This is a test.",
            "This is not a drill. The drill is over.",
        ]
    )
    for name in ("lockdown", "hold"):
        for variant in Variant:
            assert announcements.get(name, variant, "g711u") is not None
    assert announcements.get("lockdown", Variant.LIVE, "g722") is None, "no zone has it"
    assert announcements.names == ("hold", "lockdown")


def test_a_restart_speaks_nothing_again_and_another_voice_everything(tmp_path):
    first = made(folder=tmp_path).get("lockdown", Variant.DRILL, "g711u")
    again, other = Hums(), Hums()

    assert made(voice=again, folder=tmp_path).get("lockdown", Variant.DRILL, "g711u") == first
    assert again.said == []
    made(SECTION | {"voice": "en-gb"}, voice=other, folder=tmp_path)
    assert len(other.said) == 6


def test_a_kept_file_that_the_power_cut_is_made_anew(tmp_path):
    first = made(folder=tmp_path).get("hold", Variant.LIVE, "g711u")
    for path in (tmp_path / "announcements").iterdir():
        path.write_bytes(path.read_bytes()[:-1000] + bytes(1000))
    voice = Hums()

    assert made(voice=voice, folder=tmp_path).get("hold", Variant.LIVE, "g711u") == first
    assert voice.said


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path):
    (tmp_path / "announcements").write_text("a file is in the way")

    assert made(folder=tmp_path).get("hold", Variant.LIVE, "g711u")


def test_kept_files_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("alertd_adapters.rtp.clips.FILES_MAX", 3)
    folder = ClipFolder(tmp_path / "clips")
    for number in range(6):
        folder.put(f"clip{number}", b"x")

    assert len(list((tmp_path / "clips").iterdir())) == 3


def test_a_recording_is_said_instead_of_words(tmp_path):
    (tmp_path / "lockdown.wav").write_bytes(wav_file(1, 1, 8_000, 16, hum(440, 1.5).samples.tobytes()))
    voice = Hums()
    section = with_announcement(tone="none", recording="lockdown.wav", times=1)

    announcements = made(section, voice=voice, config_dir=tmp_path)

    assert announcements.get("lockdown", Variant.LIVE, "g711u").seconds == pytest.approx(0.3 + 1.5 + 0.2)
    assert "Lockdown! Locks, lights, out of sight." not in voice.said


def test_with_recordings_alone_no_speech_program_is_needed(tmp_path):
    (tmp_path / "one.wav").write_bytes(wav_file(1, 1, 8_000, 16, hum(440, 0.5).samples.tobytes()))
    section = with_announcement(recording="one.wav") | {"marks": dict.fromkeys(("drill", "test", "over"), "one.wav")}
    voice = Hums()

    made(section, voice=voice, config_dir=tmp_path)

    assert voice.said == []


def test_a_missing_or_broken_recording_is_named_with_its_key(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        made(with_announcement(recording="nowhere.wav"), config_dir=tmp_path)
    assert caught.value.key == "announcements.lockdown.recording"

    (tmp_path / "bad.wav").write_bytes(b"ID3 an mp3")
    with pytest.raises(SettingsError, match="no WAV file") as caught:
        made(with_announcement(words="x", drill_recording="bad.wav"), config_dir=tmp_path)
    assert caught.value.key == "announcements.lockdown.drill_recording"

    with pytest.raises(SettingsError, match="absolute path"):
        made(with_announcement(recording="lockdown.wav"))


def test_an_announcement_that_goes_on_for_minutes_is_refused(tmp_path):
    (tmp_path / "song.wav").write_bytes(wav_file(1, 1, 8_000, 16, bytes(2 * 8_000 * 60)))

    with pytest.raises(SettingsError, match="at most 90"):
        made(with_announcement(recording="song.wav"), config_dir=tmp_path)


def test_a_voice_that_fails_at_load_is_an_error_of_the_configuration():
    class Mute(Hums):
        def speak(self, words, deadline_s):
            raise SpeechError("espeak-ng is not installed on this machine: apt install espeak-ng")

    with pytest.raises(SettingsError, match="apt install espeak-ng") as caught:
        made(voice=Mute())
    assert caught.value.key.startswith(("announcements.", "marks."))


def test_g722_without_its_encoder_says_what_to_install(monkeypatch):
    monkeypatch.setattr("alertd_adapters.rtp.g722.find_spec", lambda name: None)
    section = SECTION | {"zones": {"oak": {"groups": ["239.192.4.2:5004"], "codec": "g722"}}}

    with pytest.raises(SettingsError, match=r"alertd\[g722\]") as caught:
        made(section)
    assert caught.value.key == "zones.oak.codec"
    assert g722.why_missing()


# --- speech programs


def test_words_never_reach_a_command_line_and_commands_in_them_are_taken_out():
    for program in ("espeak-ng", "flite", "/voices/joe.onnx"):
        command = Voice(program=program).command("out.wav")
        assert not any("Lockdown" in word for word in command)
    assert plain("Room [[h@l'oU]] <break/>\n--help \x1b{x}") == "Room h@l'oU break/ --help x\n"


def test_words_without_an_end_are_cut_for_the_speech_program():
    assert len(plain("a" * 5_000)) == 1_001


def test_every_speech_program_is_equally_loud(tmp_path, monkeypatch):
    """-3 dBFS at its peak: a quiet one would be lost in a hall, and a loud one clipped."""
    for peak in (300, 30_000):
        (tmp_path / "out.wav").write_bytes(wav_file(1, 1, 8_000, 16, hum(440, 0.1, peak=peak).samples.tobytes()))
        program = tmp_path / "espeak-ng"
        program.write_text(f'#!/bin/sh\nfor out; do :; done\nexec cat {tmp_path}/out.wav >"$out"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

        assert max(Voice(program="espeak-ng").speak("hello", 5.0).samples) == pytest.approx(0.7 * 32_767, rel=0.01)


def test_a_speech_program_that_is_not_there_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    voice = Voice(program="espeak-ng")

    assert not voice.is_installed
    with pytest.raises(SpeechError, match="apt install espeak-ng"):
        voice.speak("hello", 1.0)


@pytest.mark.parametrize(
    ("script", "says"),
    [("exit 3", "exit code 3"), ("echo no such voice >&2; exit 1", "no such voice"), ("echo hello", "gave no sound"),
     ("exec sleep 60", "did not speak within")],
)  # fmt: skip
def test_a_speech_program_that_fails_says_so(script, says, tmp_path, monkeypatch):
    program = tmp_path / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(SpeechError, match=says):
        Voice(program="espeak-ng").speak("hello", 0.2)


@pytest.mark.slow
@pytest.mark.parametrize("program", ["espeak-ng", "flite"])
def test_a_real_program_speaks(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed: scripts/system-packages.sh installs it")
    recording = Voice(program=program).speak("Lockdown! Locks, lights, out of sight.", 10.0)

    assert 1.5 < recording.seconds < 6
    assert max(recording.samples) > 20_000


@pytest.mark.slow
def test_a_voice_that_espeak_does_not_know_is_refused():
    if not shutil.which("espeak-ng"):
        pytest.skip("espeak-ng is not installed: scripts/system-packages.sh installs it")
    with pytest.raises(SpeechError, match="voice does not exist"):
        Voice(program="espeak-ng", voice="zz-qq").speak("hello", 10.0)
