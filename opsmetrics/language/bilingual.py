"""A text that exists in both languages of the scorecard."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from pydantic import Field

from opsmetrics.core.model import Model

_ISOLATE, _END = "\u2068", "\u2069"  # of Unicode: first strong isolate, pop directional isolate


class Text(Model):
    """A text in Norwegian bokmål and English."""

    nb: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def get(self, language: str) -> str:
        """Return the words in one language.

        Raises:
            KeyError: The language is neither nb nor en.
        """
        return isolated({"nb": self.nb, "en": self.en}[language])


@lru_cache(4096)
def isolated(words: str) -> str:
    """Return words; with letters that run from right to left between signs that keep them to themselves.

    Without the signs a number behind such a name moves in front of it.
    """
    if words.isascii() or not any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in words):
        return words
    return f"{_ISOLATE}{words}{_END}"
