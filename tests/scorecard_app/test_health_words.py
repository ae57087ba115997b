"""Every kind of name and every reason that unmatched rows can have has words in both languages."""

from __future__ import annotations

import re

import pytest

from opsmetrics.core.settings import default_sql_root
from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.snapshots.notices import Notice, Voice, sentences
from opsmetrics.streams.names import KINDS as NAMES

SQL = default_sql_root()
NAMED = set(re.findall(r"names_in\('\w+', '(\w+)'", (SQL / "macros" / "named_rows.sql").read_text(encoding="utf-8")))
KINDS = NAMED | set(NAMES.values())
JUDGED = (SQL / "facts" / "unmatched_rows.sql").read_text(encoding="utf-8").split("as reason", 1)[0]
REASONS = set(re.findall(r"then '(\w+)'", JUDGED))


@pytest.mark.parametrize("language", LANGUAGES)
def test_kinds_and_reasons_have_words(language):
    assert {"service", "product", "monitor"} <= KINDS
    assert {"unknown", "before_owner"} <= REASONS
    assert all(text(language, f"health.kind_{kind}") for kind in KINDS)
    assert all(text(language, f"health.unmatched_{reason}") for reason in REASONS)


def test_a_name_stands_after_its_kind_in_the_readers_language():
    notice = Notice("unknown_reference", stream="components", name="resource api-cpu", row_count=70)
    said = {language: sentences([notice], Voice(language, lambda name: name, str))[0].text for language in ("nb", "en")}
    assert f"{text('nb', 'health.kind_resource').lower()} api-cpu (70)" in said["nb"]
    assert "resource api-cpu (70)" in said["en"]
