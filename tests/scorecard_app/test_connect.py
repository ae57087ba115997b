"""The page of what to connect next, over a small snapshot, over one that measures nothing, and before any."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from opsmetrics.language.texts import LANGUAGES, text
from tests.patience import LIMIT_SECONDS


def script(view: str) -> None:
    import importlib  # noqa: PLC0415 - AppTest runs this function's source alone

    importlib.import_module(f"scorecard_app.views.{view}").render()


def shown(view: str, home, org, monkeypatch, **query: str) -> str:
    monkeypatch.setenv("OPSMETRICS_HOME", str(home))
    monkeypatch.setenv("OPSMETRICS_ORG", str(org))
    app = AppTest.from_function(script, kwargs={"view": view}, default_timeout=LIMIT_SECONDS)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return "\n".join(element.proto.body for element in app.main if element.type == "html")


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_shows_streams_columns_metrics_gain_and_effort(small_run, monkeypatch, language):
    html = shown("connect", small_run.home, small_run.org, monkeypatch, lang=language, team="alfa")
    assert text(language, "connect.title") in html
    assert f"{text(language, 'stream.oncall_shifts')} (oncall_shifts)" in html
    assert "fired_at" in html
    assert "label" in html
    assert "declared_at" not in html, "incidents are connected, and lack other columns only"
    assert text(language, "connect.lacks", names="")[:8] in html
    assert not re.search(r"\b(None|nan)\b", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize("language", LANGUAGES)
def test_before_anything_is_published_it_says_how_to_begin(tmp_path, small, monkeypatch, language):
    html = shown("overview", tmp_path / "nothing", small, monkeypatch, lang=language)
    assert text(language, "app.no_snapshot") in html
    assert "opsmetrics init" in html
    assert "(alerts)" in html
    # A folder that is no configuration: the words, without the list.
    html = shown("overview", tmp_path / "nothing", tmp_path, monkeypatch, lang=language)
    assert "opsmetrics init" in html
    assert "(alerts)" not in html
