"""Calendars: times as programs write them, events that repeat, and what is no calendar."""

from __future__ import annotations

import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.sources.query_run import answer
from tests.opsmetrics.sources.test_queries import query_of

HEADER = '-- source = "x"\n-- files.shift = "oncall.ics"\n'


def calendar(*events: str) -> str:
    """A calendar with these events, with line breaks as the standard has them."""
    inside = [line for event in events for line in ("BEGIN:VEVENT", *event.splitlines(), "END:VEVENT")]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *inside, "END:VCALENDAR", ""])


def rows_of(folder, text: str, columns: str):
    (folder / "oncall.ics").write_bytes(text.encode())
    return answer(query_of(f"{HEADER}select {columns} from shift"), (folder,), "q.sql").table


@pytest.mark.parametrize(
    ("event", "start", "end"),
    [
        # PagerDuty, Grafana OnCall, Opsgenie: single events in UTC.
        (
            "DTEND;VALUE=DATE-TIME:20261109T070000Z\nDTSTART;VALUE=DATE-TIME:20261102T070000Z",
            "2026-11-02T07:00:00Z",
            "2026-11-09T07:00:00Z",
        ),
        (
            "DTSTART;TZID=Europe/Oslo:20261019T080000\nDTEND;TZID=Europe/Oslo:20261026T080000",
            "2026-10-19T08:00:00+02:00",
            "2026-10-26T08:00:00+01:00",
        ),
        # Outlook.
        (
            'DTSTART;TZID="W. Europe Standard Time":20260706T080000\nDTEND;TZID=W. Europe Standard Time:20260713T080000',
            "2026-07-06T08:00:00+02:00",
            "2026-07-13T08:00:00+02:00",
        ),
        # A day is as long as the clock makes it, an hour is an hour; it may stand before the start.
        ("DURATION:P1W\nDTSTART;TZID=Europe/Oslo:20261019T080000", "2026-10-19T08:00:00+02:00", "2026-10-26T07:00:00Z"),
        ("DTSTART:20261019T080000Z\nDURATION:PT168H", "2026-10-19T08:00:00Z", "2026-10-26T08:00:00Z"),
        ("DTSTART:20261102T080000\nDTEND:20261102T160000", "2026-11-02T08:00:00", "2026-11-02T16:00:00"),
        ("DTSTART;VALUE=DATE:20261102\nDTEND;VALUE=DATE:20261103", "2026-11-02", "2026-11-03"),
        # An hour that the clock repeats, and a zone that nobody knows: the contract sets them aside.
        ("DTSTART;TZID=Europe/Oslo:20261025T023000", "2026-10-25T02:30:00 Europe/Oslo", None),
        ("DTSTART;TZID=Customized Time Zone:20261025T083000", "2026-10-25T08:30:00 Customized Time Zone", None),
        ("DTSTART:20261332T080000Z", "20261332T080000Z", None),
    ],
)
def test_times_say_their_zone(tmp_path, event, start, end):
    table = rows_of(tmp_path, calendar(event + ("" if end else "\nDTEND:20261102T160000Z")), "dtstart, dtend")
    assert table.data.row(0) == (start, end or "2026-11-02T16:00:00Z")


def test_an_event_that_repeats_is_set_aside_and_others_are_whole(tmp_path):
    table = rows_of(
        tmp_path,
        calendar(
            "UID:a\nDTSTART:20261102T070000Z\nRRULE:FREQ=WEEKLY",
            # A long line goes on in the next, signs are escaped, and what an alarm says is not the event's.
            "UID:b\nSUMMARY:Duty\\, pl\n ain\nBEGIN:VALARM\nUID:c\nSUMMARY:other\nEND:VALARM\nLAST-MODIFIED:20261101T070000Z",
        ),
        "uid, summary, last_modified, _file, _line",
    )
    assert table.data.row(0) == ("b", "Duty, plain", "2026-11-01T07:00:00Z")
    assert [(line, reason) for line, reason in zip(table.lines, table.broken, strict=True) if reason] == [
        (3, "an event that repeats (RRULE or RDATE): export its single events")
    ]
    assert table.lines[0] == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>no</html>\n", "oncall.ics:1: this is no calendar"),
        (calendar("UID:a").replace("END:VCALENDAR", ""), "the calendar is cut off"),
        ("", "the file is empty"),
    ],
)
def test_what_is_no_calendar_is_told(tmp_path, text, said):
    with pytest.raises(SourceError) as caught:
        rows_of(tmp_path, text, "uid")
    assert said in str(caught.value)


def test_a_calendar_without_events_has_no_rows(tmp_path):
    assert rows_of(tmp_path, calendar(), "uid, dtstart").data.height == 0


@pytest.mark.parametrize("lasts", ["P99999999999W", "PT99999999999999999999H", f"PT{'9' * 5000}S", "P400000D"])
def test_an_event_that_lasts_longer_than_time_has_no_end(tmp_path, lasts):
    long, other = f"DTSTART:99980101T000000Z\nDURATION:{lasts}", "DTSTART:20261102T080000Z\nDURATION:PT1H"
    table = rows_of(tmp_path, calendar(long, other), "dtstart, dtend")
    assert table.data.rows() == [
        ("9998-01-01T00:00:00Z", None),
        ("2026-11-02T08:00:00Z", "2026-11-02T09:00:00Z"),
    ]


def test_a_shift_that_was_called_off_is_none(tmp_path):
    """Outlook and Google leave it in the calendar; nobody was on duty."""
    times = "DTSTART:20261102T080000Z\nDTEND:20261109T080000Z"
    table = rows_of(tmp_path, calendar(f"{times}\nSTATUS:CANCELLED", f"{times}\nSTATUS:CONFIRMED"), "dtstart")
    assert table.height == 1
