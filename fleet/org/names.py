"""Folding of names, so that people find a street however they write it."""

from __future__ import annotations

import re
import unicodedata

_GAPS = re.compile(r"[\s\-_/.,'’()\"]+")
_NUKTA = "\u093c"
_CANDRABINDU = str.maketrans({"\u0901": "\u0902"})


def fold(text: str) -> str:
    """`text` without case, diacritics and punctuation.

    Latin letters lose their accents, Devanagari its nukta, and candrabindu becomes anusvara,
    because people type either. Vowel signs stay: they make another word.

    >>> fold("São  João-Street")
    'sao joao street'
    >>> fold("गाँव बाज़ार") == fold("गांव बाजार")
    True
    >>> fold("  ")
    ''
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c for c in decomposed if not _drops(c))
    return _GAPS.sub(" ", unicodedata.normalize("NFC", kept.translate(_CANDRABINDU))).strip()


def _drops(character: str) -> bool:
    """Accents on Latin letters are combining marks with a class; vowel signs have none."""
    return character == _NUKTA or 200 <= unicodedata.combining(character) <= 240
