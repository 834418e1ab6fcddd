"""A battery as percent or "low", whatever its vendor's unit: percent, volts by a curve, DevStatus, a flag, a word.

What vendors write where a number should stand is understood too: `"1567mV"`, `"2.4(low battery)"`, `"CHARGING"`.
"""

import math
import re
from bisect import bisect_right
from typing import Any

from msgspec.structs import replace

from alertd.model.check_in import Battery
from alertd_adapters.decoders.json_payload import battery_pct
from alertd_adapters.decoders.mapping import written
from alertd_adapters.decoders.mapping.rules import KeyWrongError, as_word, read, read_predicate

LORAWAN_FULL = 254
"""DevStatus: 1 (empty) to 254 (full); 0 is mains power, 255 unknown (LoRaWAN 1.0.4, 5.5)."""
VOLTS_MAX = 1_000
A_VOLT = {"volts": 1, "millivolts": 1_000}
LOW, WELL, MAINS = "low", "ok", "mains"
"""What `battery_words` may say, beside percent."""
FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
"""How a flag is written, in small letters; true is low."""
NUMBER = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?(%|mv|v)? ?(?:\(([a-z ]{1,20})\))?")
"""A number as text, in small letters: with its unit, and with what its device thinks of it."""
REMARKS = {"low battery": True, "low": True}
CHARGING = "charging"
"""Said in the place of a number (Abeeway)."""
TEXT_MAX = 40


class Power:
    """The battery keys of a profile, or of a message, ready to run."""

    def __init__(self, keys: written.Power, path: tuple[str | int, ...] = ()) -> None:
        self._keys = keys
        self._found = read(keys.battery, (*path, "battery"))
        self._mains = read_predicate(keys.battery_mains, (*path, "battery_mains"))
        self._curve = _curve(keys, path)
        _check(keys, path)

    @property
    def is_known(self) -> bool:
        return self._found is not None

    def of(self, root: dict[str, Any]) -> Battery | None:
        """`None`: the message does not speak of it, or makes no sense."""
        if self._mains is not None and self._mains(root) is True:
            return Battery(mains=True)
        found = self._found(root) if self._found is not None else None
        return self._understood(found) if found is not None else None

    def _understood(self, found: object) -> Battery | None:
        match self._keys.battery_unit:
            case "words":
                return self._of_word(found)
            case "flag":
                low = FLAGS.get((as_word(found) or "").lower())
                return None if low is None else Battery(low=low)
            case unit:
                text = found[:TEXT_MAX].strip().lower() if isinstance(found, str) else ""
                return Battery(mains=True) if text == CHARGING else self._of_text(found, text, unit)

    def _of_text(self, found: object, text: str, unit: str) -> Battery | None:
        """A number, or the text of one."""
        said = NUMBER.fullmatch(text)
        if said is None:
            return self._of_number(found, unit)
        number, written_unit = float(said[1]), said[2]
        in_volts = unit in ("volts", "millivolts")
        if written_unit is not None and in_volts is (written_unit == "%"):
            return None
        if written_unit is not None and in_volts:
            number = number * A_VOLT[unit] / (1_000 if written_unit == "mv" else 1)
        battery = self._of_number(number, unit)
        is_low = REMARKS.get(said[3] or "", False)
        return replace(battery or Battery(), low=True) if is_low else battery

    def _of_number(self, found: object, unit: str) -> Battery | None:
        match unit:
            case "lorawan":
                return self._of_dev_status(found)
            case "percent":
                return self._of_percent(battery_pct(found))
            case _:
                return self._of_volts(found, A_VOLT[unit])

    def _of_word(self, found: object) -> Battery | None:
        said = self._keys.battery_words.get(as_word(found) or "")
        if isinstance(said, int):
            return self._of_percent(said)
        return {LOW: Battery(low=True), WELL: Battery(low=False), MAINS: Battery(mains=True)}.get(said or "")

    def _of_percent(self, pct: int | None) -> Battery | None:
        low = self._keys.battery_low
        return None if pct is None else Battery(pct=pct, low=None if low is None else pct <= low)

    def _of_dev_status(self, found: object) -> Battery | None:
        if isinstance(found, bool) or not isinstance(found, int | float):
            return None
        if found == 0:
            return Battery(mains=True)
        if not 1 <= found <= LORAWAN_FULL:
            return None
        return self._of_percent(round((found - 1) * 100 / (LORAWAN_FULL - 1)))

    def _of_volts(self, found: object, a_volt: int) -> Battery | None:
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found / a_volt <= VOLTS_MAX:
            return None
        volts, low = found / a_volt, self._keys.battery_low
        is_low = None if low is None else found <= low
        if not self._curve:
            return None if is_low is None else Battery(low=is_low)
        return Battery(pct=_on(self._curve, volts), low=is_low)


def _on(curve: tuple[tuple[float, float], ...], volts: float) -> int:
    """Percent on the straight lines between the curve's points."""
    place = bisect_right(curve, (volts, float("inf")))
    if place == 0 or place == len(curve):
        return round(curve[min(place, len(curve) - 1)][1])
    (left, low), (right, high) = curve[place - 1], curve[place]
    return round(low + (high - low) * (volts - left) / (right - left))


def _curve(keys: written.Power, path: tuple[str | int, ...]) -> tuple[tuple[float, float], ...]:
    full, empty = keys.battery_full, keys.battery_empty
    if keys.battery_curve:
        curve = tuple((point[0], point[1]) for point in keys.battery_curve)
        volts = [point[0] for point in curve]
        if (
            len(curve) < 2
            or not all(map(math.isfinite, volts))
            or volts != sorted(set(volts))
            or not all(0 <= pct <= 100 for _, pct in curve)
        ):
            remedy = "write at least two pairs of volts and percent, the volts growing: [[2.4, 0], [3.0, 100]]"
            raise KeyWrongError((*path, "battery_curve"), "is no curve", remedy)
        return curve
    if full is None or empty is None:
        return ()
    return ((empty, 0.0), (full, 100.0))


def _check(keys: written.Power, path: tuple[str | int, ...]) -> None:
    in_volts = keys.battery_unit in ("volts", "millivolts")
    if not in_volts and (keys.battery_full or keys.battery_empty or keys.battery_curve):
        raise KeyWrongError((*path, "battery_unit"), "is not a voltage", 'write "volts" or "millivolts"')
    for key, number in (("full", keys.battery_full), ("empty", keys.battery_empty), ("low", keys.battery_low)):
        if number is not None and not math.isfinite(number):
            raise KeyWrongError((*path, f"battery_{key}"), f"cannot be {number:g}", "write a number, or leave it out")
    if in_volts:
        _check_volts(keys, path)
    elif keys.battery_low is not None and keys.battery_unit == "flag":
        raise KeyWrongError((*path, "battery_low"), "says nothing of a flag", "leave it out: true is low")
    elif keys.battery_low is not None and not 0 <= keys.battery_low <= 100:
        raise KeyWrongError((*path, "battery_low"), f"cannot be {keys.battery_low:g}", "write percent: 0 to 100")
    if (keys.battery_unit == "words") is not bool(keys.battery_words):
        remedy = 'write battery_unit = "words" and battery_words = { LOW = "low", OK = "ok" }'
        raise KeyWrongError((*path, "battery_words"), "and the unit do not fit", remedy)
    for word, said in keys.battery_words.items():
        if said not in (LOW, WELL, MAINS) and not (isinstance(said, int) and 0 <= said <= 100):
            remedy = f'write "{LOW}", "{WELL}", "{MAINS}" or percent'
            raise KeyWrongError((*path, "battery_words", word), "is no state of a battery", remedy)


def _check_volts(keys: written.Power, path: tuple[str | int, ...]) -> None:
    """Volts are a level only beside what full and empty is, and low only beside what low is."""
    full, empty, low = keys.battery_full, keys.battery_empty, keys.battery_low
    remedy = "write battery_empty = 2.4 and battery_full = 3.0 (volts), a battery_curve, or battery_low"
    if (full is None) is not (empty is None):
        missing = "battery_full" if full is None else "battery_empty"
        there = "battery_empty" if full is None else "battery_full"
        raise KeyWrongError((*path, there), f"says nothing without {missing}", remedy)
    if full is not None and empty is not None and full <= empty:
        raise KeyWrongError((*path, "battery_full"), f"is not above battery_empty = {empty:g}: no level fits", remedy)
    if keys.battery is not None and low is None and full is None and not keys.battery_curve:
        raise KeyWrongError((*path, "battery_unit"), "is a voltage, and nothing says what full and empty is", remedy)
