"""A text that exists in both languages of the scorecard."""

from __future__ import annotations

from pydantic import Field

from opsmetrics.core.model import Model


class Text(Model):
    """A text in Norwegian bokmål and English."""

    nb: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def get(self, language: str) -> str:
        """Return the words in one language.

        Raises:
            KeyError: The language is neither nb nor en.
        """
        return {"nb": self.nb, "en": self.en}[language]
