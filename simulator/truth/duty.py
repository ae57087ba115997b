"""Expected values of on-call duty: who was there, and whether anybody answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from simulator.truth.setting import Row, Setting, Value, midnight
from simulator.world import ZONE

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
Span = tuple[datetime, datetime]


def _answered(page: Row, day_ends: datetime) -> bool | None:
    """Whether a person answered within an hour, or the page was gone by then; None where the day ends before that."""
    limit = page["fired_at"] + 60 * MINUTE
    human = page["acknowledged_at"] if page["acknowledged_by_kind"] == "human" else None
    if any(at is not None and at <= limit and at < day_ends for at in (human, page["closed_at"])):
        return True
    return None if limit > day_ends else False


def inc_oncall_coverage(s: Setting) -> dict[str, Value]:
    """Minutes of required duty with somebody there who answers."""
    pages: dict[str, list[Row]] = {}
    for page in s.records["alerts"]:
        pages.setdefault(s.owner(page["service_id"], page["fired_at"]) or "", []).append(page)
    found: dict[str, Value] = {}
    for team in s.teams:
        required = known = covered = 0.0
        days = 0
        shifts = [shift for shift in s.records["oncall_shifts"] if shift["team_id"] == team]
        day = s.start(28).astimezone(ZONE).date()
        while day <= s.on:
            begin, end = _duty_of(s, team, midnight(day), midnight(day + DAY))
            if end > begin:
                silent, open_ = _gaps(s, team, pages.get(team, []), (begin, end), midnight(day + DAY))
                spans = [(max(begin, x["starts_at"]), min(end, x["ends_at"])) for x in shifts]
                spans = _union([x for x in spans if x[0] < x[1]])
                gaps = _union(silent + open_)
                # Time with nobody on duty is known whatever the page says; of the rest an open hour is not.
                unknown = _common(spans, gaps) - _common(spans, silent)
                days += unknown < (end - begin) / MINUTE
                required += (end - begin) / MINUTE
                known += (end - begin) / MINUTE - unknown
                covered += _length(spans) - _common(spans, gaps)
            day += DAY
        if required:
            found[team] = Value(covered, known, days, known / required)
    return found


def _gaps(s: Setting, team: str, pages: list[Row], duty: Span, day_ends: datetime) -> tuple[list[Span], list[Span]]:
    """Hours of a day's duty after pages that nobody answered, and after those of which that is not known."""
    silent: list[Span] = []
    open_: list[Span] = []
    begin, end = duty
    reach = begin - 60 * MINUTE if s.duty(team, begin) == "always" else begin
    for page in pages:
        if reach <= page["fired_at"] < end:
            span = (max(begin, page["fired_at"]), min(end, page["fired_at"] + 60 * MINUTE))
            answered = _answered(page, day_ends)
            if span[0] < span[1] and not answered:
                (open_ if answered is None else silent).append(span)
    return silent, open_


def _duty_of(s: Setting, team: str, begin: datetime, end: datetime) -> tuple[datetime, datetime]:
    duty = s.duty(team, begin)
    if duty == "always":
        return begin, end
    noon = begin + (end - begin) / 2
    if duty == "none" or not s.on_duty(team, noon):
        return begin, begin
    local = noon.astimezone(ZONE)
    eight = local.replace(hour=8, minute=0, second=0).astimezone(begin.tzinfo)
    return eight, eight + timedelta(hours=8)


def _union(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _length(spans: list[Span]) -> float:
    return sum((end - begin) / MINUTE for begin, end in spans)


def _common(one: list[Span], two: list[Span]) -> float:
    """Minutes in both of two sets of spans."""
    pairs = [
        (max(a[0], b[0]), min(a[1], b[1]))
        for a in _union([x for x in one if x[0] < x[1]])
        for b in _union([x for x in two if x[0] < x[1]])
    ]
    return _length([pair for pair in pairs if pair[0] < pair[1]])
