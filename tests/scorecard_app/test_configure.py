"""The page that proposes a change: its effect in the reader's language, and no effect against another setup."""

from __future__ import annotations

import shutil

import pytest

from opsmetrics.core.settings import DEMO_ORG
from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.snapshots.store import open_current
from tests.pages import flat, html_of, open_page


@pytest.fixture
def org(demo_home, tmp_path, monkeypatch):
    """A copy of the configuration that the demo was made with, which the app takes."""
    copy = shutil.copytree(demo_home / DEMO_ORG, tmp_path / "org")
    monkeypatch.setenv("OPSMETRICS_ORG", str(copy))
    return copy


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_setup_that_the_numbers_do_not_come_from_is_refused(language, org, demo_home, monkeypatch):
    app, html = open_page("configure", demo_home, monkeypatch, lang=language)
    assert app.button(key="configure-show")
    assert text(language, "configure.other_setup") not in flat(html)
    teams = org / "teams.toml"
    teams.write_text(teams.read_text(encoding="utf-8") + "\n# another\n", encoding="utf-8")
    app, html = open_page("configure", demo_home, monkeypatch, lang=language)
    for key in ("other_setup", "other_setup_fix"):
        assert text(language, f"configure.{key}") in flat(html)
    assert not app.button, "nothing to propose against numbers that it would not move"


def test_the_effect_of_a_change_is_told_in_norwegian(org, demo_home, monkeypatch):
    """A requirement that nobody meets: the teams that lose points are those that SQL knows to have the metric."""
    language = "nb"
    metric = "aut_automated_deploy_share"
    app, _ = open_page("configure", demo_home, monkeypatch, lang=language)
    app.selectbox(key="configure-kind").select("number").run()
    app.selectbox(key="configure-metric").select(metric).run()
    app.selectbox(key="configure-which").select("weight").run()
    app.number_input(key=f"configure-{metric}-weight").set_value(90.0)
    app.button(key="configure-show").click().run()
    assert not app.exception
    shown = flat(html_of(app))
    assert text(language, "configure.effect_teams") in shown
    with open_current(demo_home / "snapshots") as con:
        rows = con.execute(
            """select distinct t.name_nb, t.name_en from scores.metric as s join ref.teams as t using (team_id)
               join scores.team as x using (team_id, as_of, grain)
               where s.grain = 'latest' and s.metric_id = $1 and s.points is not null and x.score is not null""",
            [metric],
        ).fetchall()
    assert rows
    table = html_of(app).split("<table")[1].split("</table>")[0]
    for names in rows:
        assert names[LANGUAGES.index(language)] in flat(table)
    assert not any(word in shown for word in ("Coverage", "affected", "teams are", "Level"))
