"""Both languages are complete."""

from __future__ import annotations

import json
from pathlib import Path
from string import Formatter

import pytest

from fleet.kit.i18n import choose, folders, register, t

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(
    folder
    for room in ("fleet/*", "tracking", "routing", "feedback")
    for folder in ROOT.glob(f"{room}/locales")
)


def texts(folder: Path, lang: str) -> dict[str, str]:
    loaded: dict[str, str] = json.loads((folder / f"{lang}.json").read_text("utf-8"))
    return loaded


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_english_and_hindi_have_the_same_keys_and_placeholders(folder: Path) -> None:
    english, hindi = texts(folder, "en"), texts(folder, "hi")
    assert english.keys() == hindi.keys()
    for key, text in english.items():
        assert placeholders(text) == placeholders(hindi[key]), key
        assert text.strip(), key
        assert hindi[key].strip(), key


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_hindi_is_written_in_devanagari(folder: Path) -> None:
    for key, text in texts(folder, "hi").items():
        assert any("\u0900" <= character <= "\u097f" for character in text), key


def test_kits_own_folder_is_registered_once() -> None:
    folder = ROOT / "fleet" / "kit" / "locales"
    assert folders().count(folder) == 1
    register(folder)
    assert folders().count(folder) == 1


def test_a_key_of_another_folder_is_refused(tmp_path: Path) -> None:
    for lang in ("en", "hi"):
        (tmp_path / f"{lang}.json").write_text('{"kit.busy": "?"}')
    with pytest.raises(ValueError, match=r"kit\.busy"):
        register(tmp_path)


def test_texts_are_filled_and_unknown_languages_get_english() -> None:
    assert t("hi", "kit.job_unknown", id="job_1") == "job_1 नाम का कोई कार्य नहीं है।"
    assert t("fr", "kit.job_unknown", id="job_1") == "There is no job job_1."
    with pytest.raises(KeyError):
        t("en", "kit.no_such_key")
    with pytest.raises(KeyError):
        t("en", "kit.job_unknown")


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        (None, "en"),
        ("", "en"),
        ("hi", "hi"),
        ("hi-IN,hi;q=0.9,en;q=0.8", "hi"),
        ("en;q=0.5, hi;q=0.9", "hi"),
        ("fr, de", "en"),
        ("hi;q=much", "en"),
        ("hi;q=0", "en"),
    ],
)
def test_the_browsers_language_is_chosen(header: str | None, lang: str) -> None:
    assert choose(header) == lang
