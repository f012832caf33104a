"""Every string that a person sees, in English and Hindi.

A room keeps ``locales/en.json`` and ``locales/hi.json`` (flat objects, keys such as
``people.wrong_password``, placeholders as ``{name}``) and calls ``register(folder)`` once at
import. A test holds both languages of every registered folder to the same keys and placeholders.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from pathlib import Path
from typing import Literal, get_args

Lang = Literal["en", "hi"]
LANGS: tuple[Lang, ...] = get_args(Lang)

speaking: ContextVar[Lang] = ContextVar("speaking", default="en")
"""Language of whoever is served at the moment; a request's middleware sets it."""

_texts: dict[str, dict[str, str]] = {lang: {} for lang in LANGS}
_folders: list[Path] = []


def register(folder: Path) -> None:
    """Add the catalogues of a room's ``locales`` folder; again is harmless.

    Raises:
        FileNotFoundError: the folder lacks ``en.json`` or ``hi.json``.
        ValueError: another folder has one of the keys.
    """
    if folder in _folders:
        return
    for lang in LANGS:
        texts: dict[str, str] = json.loads((folder / f"{lang}.json").read_text("utf-8"))
        twice = texts.keys() & _texts[lang].keys()
        if twice:
            raise ValueError(f"Expected new keys in {folder}, got {sorted(twice)} again.")
        _texts[lang].update(texts)
    _folders.append(folder)


def folders() -> list[Path]:
    """Registered folders, in order."""
    return list(_folders)


def t(lang: str, key: str, /, **values: object) -> str:
    """The text of a key, with its placeholders filled; English for a language we do not have.

    Raises:
        KeyError: no registered catalogue has the key, or a placeholder lacks its value.
    """
    return _texts.get(lang, _texts["en"])[key].format(**values)


def choose(accept_language: str | None) -> Lang:
    """Our language that an ``Accept-Language`` header likes best; English when it names none.

    >>> choose("fr, hi-IN;q=0.8, en;q=0.5")
    'hi'
    """
    best: Lang = "en"
    best_quality = 0.0
    for entry in (accept_language or "").split(","):
        tag, _, quality_text = entry.strip().partition(";q=")
        try:
            quality = float(quality_text or 1)
        except ValueError:
            continue
        for lang in LANGS:
            if tag.split("-")[0].lower() == lang and quality > best_quality:
                best, best_quality = lang, quality
    return best


register(Path(__file__).parent / "locales")
