"""Calendars: times as programs write them, events that repeat, and what is no calendar."""

from __future__ import annotations

import os
from datetime import UTC, datetime

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


def test_an_event_whose_rhythm_is_not_known_is_set_aside_and_others_are_whole(tmp_path):
    table = rows_of(
        tmp_path,
        calendar(
            "UID:a\nDTSTART:20261102T070000Z\nRRULE:FREQ=MONTHLY;BYDAY=1MO",
            # A long line goes on in the next, signs are escaped, and what an alarm says is not the event's.
            "UID:b\nSUMMARY:Duty\\, pl\n ain\nBEGIN:VALARM\nUID:c\nSUMMARY:other\nEND:VALARM\nLAST-MODIFIED:20261101T070000Z",
        ),
        "uid, summary, last_modified, _file, _line",
    )
    assert table.data.row(0) == ("b", "Duty, plain", "2026-11-01T07:00:00Z")
    assert [(line, reason) for line, reason in zip(table.lines, table.broken, strict=True) if reason] == [
        (3, "an event that repeats in a rhythm that is not known here (RRULE or RDATE): export its single events")
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


WEEK = "UID:a\nDTSTART;TZID=Europe/Oslo:20261012T080000\nDTEND;TZID=Europe/Oslo:20261019T080000\n"


@pytest.mark.parametrize(
    ("event", "starts"),
    [
        # Two people take turns; the clock changes on the 25th, and duty begins at eight all the same.
        (f"{WEEK}RRULE:FREQ=WEEKLY;WKST=MO;INTERVAL=2;COUNT=3;BYDAY=MO", ["10-12T08+02", "10-26T08+01", "11-09T08+01"]),
        (f"{WEEK}RRULE:FREQ=WEEKLY;UNTIL=20261026T070000Z", ["10-12T08+02", "10-19T08+02", "10-26T08+01"]),
        (f"{WEEK}RRULE:FREQ=WEEKLY;UNTIL=20261025\nEXDATE;TZID=Europe/Oslo:20261019T080000", ["10-12T08+02"]),
        (f"{WEEK}RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20261012T060000Z,20261026T070000Z", ["10-19T08+02"]),
        (f"{WEEK}RRULE:FREQ=DAILY;BYDAY=SA,SU;COUNT=2", ["10-17T08+02", "10-18T08+02"]),
        (f"{WEEK}RRULE:FREQ=MONTHLY;COUNT=2", ["10-12T08+02", "11-12T08+01"]),
        # Without an end: a year after the file was written.
        (f"{WEEK}RRULE:FREQ=YEARLY", ["10-12T08+02"]),
        (f"{WEEK}RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU", []),
        (f"{WEEK}RRULE:FREQ=WEEKLY;COUNT=1\nSTATUS:CANCELLED", []),
    ],
)
def test_an_event_that_repeats_is_each_of_its_events(tmp_path, event, starts):
    (tmp_path / "oncall.ics").write_bytes(calendar(event).encode())
    written = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
    os.utime(tmp_path / "oncall.ics", (written, written))
    table = answer(query_of(f"{HEADER}select uid, dtstart, dtend from shift"), (tmp_path,), "q.sql").table
    assert [at[5:13] + at[19:22] for at in table.data["dtstart"]] == starts
    assert table.data["uid"].n_unique() == len(starts)
    assert table.broken.null_count() == len(starts)


def test_an_event_of_several_that_was_moved_is_where_it_was_moved_to(tmp_path):
    """Somebody takes over a week, and one week nobody is on duty."""
    table = rows_of(
        tmp_path,
        calendar(
            "UID:a\nDTSTART:20261009T080000Z\nRECURRENCE-ID:20261008T080000Z\nDURATION:PT1H",
            "UID:a\nDTSTART:20261001T080000Z\nDURATION:PT8H\nRRULE:FREQ=WEEKLY;COUNT=3",
            "UID:a\nDTSTART:20261015T080000Z\nRECURRENCE-ID:20261015T080000Z\nSTATUS:CANCELLED",
        ),
        "dtstart, dtend, uid",
    )
    assert sorted(table.data.rows()) == [
        ("2026-10-01T08:00:00Z", "2026-10-01T16:00:00Z", "a/2026-10-01T08:00:00Z"),
        ("2026-10-09T08:00:00Z", "2026-10-09T09:00:00Z", "a/2026-10-08T08:00:00Z"),
    ]


@pytest.mark.parametrize(
    "odd", ["RRULE:FREQ=WEEKLY\nRDATE:20261103T070000Z", "RRULE:FREQ=WEEKLY;UNTIL=soon", "RRULE:FREQ="]
)
def test_a_rhythm_that_cannot_be_read_is_not_guessed(tmp_path, odd):
    assert rows_of(tmp_path, calendar(WEEK + odd), "uid").broken.null_count() == 0


def test_a_shift_that_was_called_off_is_none(tmp_path):
    """Outlook and Google leave it in the calendar; nobody was on duty."""
    times = "DTSTART:20261102T080000Z\nDTEND:20261109T080000Z"
    table = rows_of(tmp_path, calendar(f"{times}\nSTATUS:CANCELLED", f"{times}\nSTATUS:CONFIRMED"), "dtstart")
    assert table.height == 1
