"""Every text of the faces exists in English and in Hindi, with the same values in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "fleet" / "web" / "src"
DICTIONARY = re.compile(
    r"dictionary\(\s*\{\n(?P<en>.*?)\n  \},\s*\{\n(?P<hi>.*?)\n  \},?\s*\)", re.DOTALL
)
ENTRY = re.compile(
    r"^    (?:'(?P<quoted>[^']+)'|(?P<bare>\w+)):\s*['\"`](?P<text>.*)['\"`],$", re.M
)
DEVANAGARI = re.compile(r"[\u0900-\u097f]")
SAME_IN_BOTH = {"SOS"}
PLACEHOLDER = re.compile(r"\{(\w+)\}")
JSX_TEXT = re.compile(r"<(?:p|strong|span|h1|h2|h3|dt|dd|label|th|li|Button)\b[^<>{}]*>\s*[A-Za-z]")


def _files_with(pattern: re.Pattern[str]) -> list[Path]:
    return [p for p in sorted(SOURCES.rglob("*.ts*")) if pattern.search(p.read_text("utf-8"))]


def _entries(block: str) -> dict[str, str]:
    found = {m["quoted"] or m["bare"]: m["text"] for m in ENTRY.finditer(block)}
    lines = [line for line in block.splitlines() if line.strip() and not line.startswith("    //")]
    assert len(found) == len(lines), "an entry of this dictionary is not read by this test"
    return found


DICTIONARIES = [p for p in _files_with(DICTIONARY) if ".test." not in p.name]


@pytest.mark.parametrize("path", DICTIONARIES, ids=lambda p: str(p.relative_to(SOURCES)))
def test_english_and_hindi_say_the_same_things(path: Path) -> None:
    """Same keys, same placeholders, and Hindi is written in its own script."""
    blocks = DICTIONARY.search(path.read_text("utf-8"))
    assert blocks is not None
    english, hindi = _entries(blocks["en"]), _entries(blocks["hi"])
    assert english.keys() == hindi.keys()
    for key, text in english.items():
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(hindi[key])), key
        words = PLACEHOLDER.sub("", text)
        if re.search(r"[A-Za-z]{2}", words) and words not in SAME_IN_BOTH:
            assert DEVANAGARI.search(hindi[key]), f"{key} is not translated"


def test_the_control_room_and_the_sign_in_have_dictionaries() -> None:
    """The test above is worth something only while it finds them."""
    names = {str(p.relative_to(SOURCES)) for p in DICTIONARIES}
    assert {"control/strings.ts", "signin/strings.ts", "shared/words.ts"} <= names


@pytest.mark.parametrize(
    "path", sorted(SOURCES.rglob("*.tsx")), ids=lambda p: str(p.relative_to(SOURCES))
)
def test_no_component_writes_words_of_its_own(path: Path) -> None:
    """A text between tags comes from a dictionary."""
    assert JSX_TEXT.findall(path.read_text("utf-8")) == []
