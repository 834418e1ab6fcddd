"""The variants of config/variants/, put into a district's site files as an admin does it: by hand, over [rules]."""

import re
import shutil
from pathlib import Path

VARIANTS = Path(__file__).resolve().parents[1] / "config" / "variants"
NAMES = tuple(sorted(path.stem for path in VARIANTS.glob("*.toml")))
_RULES = re.compile(r"^\[rules\].*\n(?:(?!\[).*\n)*", re.MULTILINE)


def write_variant(district: Path, name: str, directory: Path) -> Path:
    """A copy of the district in which every school has the variant's rules."""
    lines = (VARIANTS / f"{name}.toml").read_text().splitlines()
    rules = "\n".join(lines[lines.index("[rules]") :]) + "\n\n"
    shutil.copytree(district, directory)
    for site in sorted((directory / "sites").glob("*.toml")):
        text = site.read_text()
        has_rules = _RULES.search(text) is not None
        site.write_text(
            _RULES.sub(rules, text) if has_rules else text.replace("[policies]\n", f"{rules}[policies]\n", 1)
        )
    return directory
