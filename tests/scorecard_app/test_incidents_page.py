"""The incidents of all teams: every mark, count and minute is what SQL says, and time travel shows what stood then."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.snapshots.queries import catalogue, facts, incidents
from opsmetrics.snapshots.store import current
from scorecard_app.downloads import TABLES
from tests.altered import altered
from tests.demo_sql import sql
from tests.pages import flat, open_page
from tests.scorecard_app.test_views import rows_of

__all__ = ["sql"]  # a fixture

SINCE = """
    select i.*, w.as_of from facts.incidents as i, ref.as_of as w
    where w.label = $1 and w.grain = $2 and i.declared_at < w.as_of
        and i.declared_at >= w.as_of - interval 12 month and i.is_exercise is distinct from true
"""


def period_of(home, label=None):
    snapshot = current(home / "snapshots")
    periods = catalogue.periods(snapshot)
    return snapshot, next(row for row in periods if label is None or row.label == label)


def tracks(html):
    """Each track of a page: places of its marks in percent, and the whole of its cell."""
    found = [cell for cell in re.findall(r"<td[^>]*>.*?</td>", html, flags=re.DOTALL) if 'class="rail"' in cell]
    return [(list(map(float, re.findall(r'<i class="\w+" style="left:([\d.]+)%', one))), one) for one in found]


def lines(html, name):
    """Rows of a table by its caption, as text of cells."""
    table = next(t for t in re.findall(r"<table.*?</table>", html, flags=re.DOTALL) if name in t)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, flags=re.DOTALL)
    return [[flat(cell).strip() for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)] for row in rows][
        1:
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_team_is_drawn_with_all_its_incidents(homes, monkeypatch, language):
    home = homes["full"]
    _, period = period_of(home)
    wanted = rows_of(
        home,
        f"""select team_id, count(*) as total, count(*) filter (severity <= 2) as major from ({SINCE})
            group by all order by major desc""",
        period.label,
        period.grain,
    )
    _, html = open_page("incidents", home, monkeypatch, lang=language)
    drawn = tracks(html)
    assert sorted(len(places) for places, _ in drawn) == sorted(row["total"] for row in wanted)
    assert all(0 <= place <= 100 for places, _ in drawn for place in places)
    shown = lines(html, text(language, "incidents.teams_caption"))
    assert sorted((int(row[2]), int(row[3])) for row in shown) == sorted((row["total"], row["major"]) for row in wanted)
    assert [int(row[3]) for row in shown] == [row["major"] for row in wanted], "most major ones first"
    down = rows_of(
        home,
        """select sum(down_minutes) as minutes from facts.availability_daily
           where day <= $1 and day > cast($1 as date) - 28""",
        str(period.on),
    )[0]["minutes"]
    strip = flat(re.search(r'<dl class="strip">.*?</dl>', html, flags=re.DOTALL)[0])
    assert f"{text(language, 'incidents.strip_down')} {flat(fmt.duration(language, down))}" in strip, (
        "as the overview says it"
    )


def test_the_newest_incident_stands_where_its_day_is_and_the_ticks_on_firsts_of_months(homes, monkeypatch):
    home = homes["full"]
    _, period = period_of(home)
    newest = rows_of(home, f"{SINCE} order by declared_at desc limit 1", period.label, period.grain)[0]
    start = period.as_of.replace(year=period.as_of.year - 1)
    place = 100 * (newest["declared_at"] - start) / (period.as_of - start)
    _, html = open_page("incidents", home, monkeypatch, lang="en")
    assert any(abs(found - place) < 0.02 for places, _ in tracks(html) for found in places)
    ticks = re.findall(r'<span class="tick[^"]*" style="left:([\d.]+)%">([^<]+)</span>', tracks(html)[0][1])
    assert [re.sub(r"\W+2026", "", words) for _, words in ticks] == ["Jan", "Apr", "Jul", "Oct"]
    for (at, _), month in zip(ticks, (1, 4, 7, 10), strict=True):
        day = datetime(2026, month, 1, tzinfo=UTC)
        assert abs(float(at) - 100 * (day - start) / (period.as_of - start)) < 0.5


def test_a_past_month_shows_what_stood_then(homes, monkeypatch):
    """An incident that was closed later was open then, and lasts until then."""
    home = homes["full"]
    label, grain = rows_of(
        home,
        """select w.label, w.grain from ref.as_of as w join facts.incidents as i
               on i.declared_at < w.as_of and coalesce(i.resolved_at, now()) > w.as_of and i.is_exercise is distinct from true
           where w.grain = 'month' order by w.as_of desc limit 1""",
    )[0].values()
    later = rows_of(home, f"select * from ({SINCE}) where resolved_at is null or resolved_at >= as_of", label, grain)
    snapshot, period = period_of(home, label)
    found = [row for row in incidents.declared(snapshot, period) if row.resolved_at is None]
    assert {row.incident_id for row in found} == {row["incident_id"] for row in later}
    for row in found:
        assert row.minutes == pytest.approx((period.as_of - row.declared_at).total_seconds() / 60)
    _, html = open_page("incidents", home, monkeypatch, period=label, lang="en")
    strip = flat(html)[flat(html).index(text("en", "incidents.strip_open")) :]
    assert strip.split()[2] == str(len(later))


def test_one_team_has_a_row_for_each_severity(homes, monkeypatch):
    home = homes["full"]
    _, period = period_of(home)
    wanted = rows_of(
        home,
        f"""select severity, count(*) as found from ({SINCE}) where team_id = 'mannskap' group by all""",
        period.label,
        period.grain,
    )
    _, html = open_page("incidents", home, monkeypatch, team="mannskap", lang="en")
    counts = {row["severity"]: row["found"] for row in wanted}
    shown = lines(html, text("en", "incidents.severities_caption"))
    assert [int(row[2]) for row in shown] == [counts.get(severity, 0) for severity in (1, 2, 3, 4)]
    assert re.search(r'href="/team\?[^"]*team=mannskap"', html)


def test_the_worst_services_are_what_sql_says(homes, monkeypatch):
    home = homes["full"]
    wanted = rows_of(
        home,
        """select service_id, sum(minutes) as total, max(minutes) filter (month = date '2026-11-01') as newest from (
               select service_id, date_trunc('month', day) as month, sum(down_minutes) as minutes
               from facts.availability_daily where day >= date '2025-12-01' and day <= date '2026-11-22' group by all)
           group by all having sum(minutes) > 0 order by total desc, service_id limit 10""",
    )
    _, html = open_page("incidents", home, monkeypatch, lang="nb")
    shown = lines(html, text("nb", "incidents.services_caption"))
    assert [row[0].split()[-1] for row in shown] == [row["service_id"] for row in wanted]
    assert [row[3] for row in shown] == [flat(fmt.number("nb", row["newest"])) for row in wanted]
    assert [row[4] for row in shown] == [flat(fmt.number("nb", row["total"])) for row in wanted]
    heights = [
        list(map(float, re.findall(r"height:([\d.]+)%", bars))) for bars in re.findall(r'class="bars".*?</span>', html)
    ]
    assert all(len(bars) == 12 for bars in heights)
    assert max(max(bars) for bars in heights) == 100
    # Bars begin at zero: a month of half the minutes is half as tall.
    worst = rows_of(
        home,
        """select date_trunc('month', day) as month, sum(down_minutes) as minutes from facts.availability_daily
           where service_id = $1 and day >= date '2025-12-01' and day <= date '2026-11-22' group by all order by month""",
        wanted[0]["service_id"],
    )
    top = max(row["minutes"] for row in worst)
    assert heights[0][-len(worst) :] == pytest.approx([100 * row["minutes"] / top for row in worst], abs=0.01)


def test_a_service_that_is_handed_over_at_the_instant_is_there_once_with_its_owner_until_then(demo_home, tmp_path):
    """Two owners meet at a midnight; neither months nor minutes are there twice."""
    snapshot, period = period_of(demo_home, "2026-10")
    before = {row.service_id: row for row in incidents.down_services(snapshot, period)}
    (service,) = [one for one in before if one == "mannskap-api"]
    _, moved = altered(
        demo_home,
        tmp_path,
        f"update ref.service_owners set valid_to_at = '{period.as_of}' where service_id = '{service}'",
        f"insert into ref.service_owners values ('{service}', 'sjokart', '{period.as_of}', '2200-01-01')",
    )
    after = {row.service_id: row for row in incidents.down_services(moved, period)}
    assert after == before


def test_nothing_connected_is_said_and_nothing_is_counted(homes, monkeypatch):
    _, html = open_page("incidents", homes["empty"], monkeypatch, lang="en")
    assert text("en", "team.incidents_not_connected") in flat(html)
    assert text("en", "incidents.services_not_connected") in flat(html)
    assert not tracks(html)


def test_five_hundred_teams_are_shown_in_sides(homes, monkeypatch):
    _, html = open_page("incidents", homes["large"], monkeypatch, lang="en")
    assert 0 < len(tracks(html)) <= incidents.SHOWN_TEAMS
    assert "more." in flat(html), "of hundreds of teams without incidents some are named"
    assert len(html) < 200_000


def test_the_files_hold_what_the_page_shows(homes):
    snapshot, period = period_of(homes["full"])
    assert TABLES["all-incidents"](snapshot, period, {}).height == sum(
        TABLES["incident-teams"](snapshot, period, {})["total"].to_list()
    )
    assert TABLES["down-services"](snapshot, period, {}).height > 0


UNTOLD = """update facts.incidents set resolved_at = null, postmortem_published_at = null, restore_minutes = null,
    untold = ['resolved_at', 'postmortem_published_at']"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_source_has_no_column_for_is_neither_open_nor_missing(demo_home, tmp_path, monkeypatch, language):
    """Without ends nothing is going on, and nothing lasts until now; without evaluations none of them is overdue."""
    home, snapshot = altered(demo_home, tmp_path / "untold", UNTOLD)
    period = next(iter(catalogue.periods(snapshot)))
    rows = list(incidents.team_incidents(snapshot, period))
    assert sum(row.still_open + row.overdue for row in rows) == 0
    assert all(row.minutes is None for row in rows if row.major)
    assert all(row.ends_untold == row.total for row in rows)
    assert all(row.minutes is None for row in incidents.declared(snapshot, period))
    _, html = open_page("incidents", home, monkeypatch, lang=language)
    words = flat(html)
    assert text(language, "team.open") not in words
    strip = flat(re.search(r'<dl class="strip">.*?</dl>', html, flags=re.DOTALL)[0])
    count = sum(row.total for row in rows)
    assert f"{text(language, 'incidents.strip_open')} – {text(language, 'incidents.untold', count=count)}" in strip
    assert re.search(rf"{text(language, 'incidents.strip_overdue')} – \w", strip)
    team = next(row.team_id for row in rows if row.major)
    _, html = open_page("team", home, monkeypatch, lang=language, team=team)
    latest = lines(html, text(language, "team.incidents_latest"))
    assert {row[3] for row in latest} == {text(language, "incidents.end_untold")}
    assert not any(text(language, "postmortem.missing") in row[4] for row in latest)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_incident_that_nobody_can_judge_is_not_said_to_need_no_evaluation(
    demo_home, tmp_path, monkeypatch, language
):
    home, _ = altered(
        demo_home,
        tmp_path / "unjudged",
        """update facts.incidents set needs_postmortem = null, needs_postmortem_while_open = null,
           postmortem_published_at = null""",
    )
    _, html = open_page("team", home, monkeypatch, lang=language, team="mannskap")
    latest = lines(html, text(language, "team.incidents_latest"))
    assert {row[4].removeprefix("? ") for row in latest} == {text(language, "postmortem.unknown")}


def test_a_team_and_the_organisation_say_the_same_of_evaluations_at_every_month(demo_home):
    """What was open then is judged as it was while open, on the team's page too."""
    snapshot = current(demo_home / "snapshots")
    overdue = 0
    for period in catalogue.periods(snapshot):
        for row in incidents.team_incidents(snapshot, period):
            mine = [
                each
                for each in facts.incidents(snapshot, period, row.team_id)
                if each.needs_postmortem
                and each.postmortem_published_at is None
                and each.postmortem_due_at is not None
                and each.postmortem_due_at < period.as_of
            ]
            assert len(mine) == row.overdue, (period.label, row.team_id)
            overdue += row.overdue
    assert overdue > 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_twelve_months_are_not_told_of_where_the_source_delivered_fewer(demo_home, tmp_path, monkeypatch, language):
    _, html = open_page("incidents", demo_home, monkeypatch, lang=language)
    start = text(language, "incidents.told", told="@", all="@", first="@").split("@")[0]
    assert start not in flat(html)
    home, _ = altered(
        demo_home,
        tmp_path / "young",
        "delete from meta.delivered_days where stream = 'incidents' and day < date '2026-10-01'",
        "delete from facts.incidents where declared_at < timestamptz '2026-10-01'",
    )
    first = fmt.long_date(language, date(2026, 10, 1))
    said = flat(text(language, "incidents.told", told=53, all=365, first=first))
    for view, query in (("incidents", {}), ("incidents", {"team": "kaiplan"}), ("team", {"team": "kaiplan"})):
        _, html = open_page(view, home, monkeypatch, lang=language, **query)
        assert said in flat(html), (view, query)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_single_incident_is_not_the_one_newest_of_one(language):
    assert not re.search(r"\d", text(language, "incidents.list_show_all", shown=1, all="1"))


def test_what_fell_due_after_the_source_was_heard_last_is_not_overdue(demo_home, tmp_path, monkeypatch, sql):
    last = "date '2026-11-01'"
    home, _ = altered(
        demo_home, tmp_path / "silent", f"delete from meta.delivered_days where stream = 'incidents' and day > {last}"
    )
    [(untold,)] = sql(
        f"""select count(*) from facts.incidents where needs_postmortem and postmortem_published_at is null
            and is_exercise is distinct from true and timezone('Europe/Oslo', postmortem_due_at) between {last} + 1
            and timestamp '2026-11-23 00:00:00' and declared_at >= timestamptz '2025-11-23 00:00:00+01'"""
    )
    assert untold
    _, html = open_page("incidents", home, monkeypatch, lang="en")
    assert text("en", "incidents.untold", count=untold) in flat(html)
    _, html = open_page("incidents", demo_home, monkeypatch, lang="en")
    assert "not told of" not in flat(html)
