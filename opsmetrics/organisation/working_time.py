"""When people work: hours, days of the week, holidays and zone, of the organisation and of teams that differ.

Does not belong here: the calendar made of it (``opsmetrics.warehouse.reference.dates``).
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from opsmetrics.core.model import Model

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _day_of_a_year(text: str) -> str:
    """A day that no year has would close nothing, without a word."""
    try:
        # A leap year, so that 02-29 is one.
        date.fromisoformat(f"2000-{text}")
    except ValueError as error:
        raise ValueError(f"{text!r} is not a day of any year; write month and day as 12-24") from error
    return text


YearDay = Annotated[str, StringConstraints(pattern=r"^\d\d-\d\d$"), AfterValidator(_day_of_a_year)]


def _places() -> list[str]:
    """Zones that are named by a place. ``EST`` and its like are none that clocks go by all year."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))


def zone_name(name: str) -> str:
    """Return a zone's name.

    Raises:
        ValueError: There is no such zone.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        near = difflib.get_close_matches(name, _places(), n=1, cutoff=0.5)
        fix = f"write a name such as {near[0] if near else 'Europe/Oslo'}"
        raise ValueError(f"{name!r} is not a time zone name; {fix}") from error
    return name


def _country(found: str | list[date] | None) -> str | list[date] | None:
    if isinstance(found, str) and found != "NO":
        # Knowing every country takes a moment, which the usual answer does not cost.
        import holidays

        if found not in holidays.list_supported_countries():
            fix = "write a code such as NO, or list the days"
            raise ValueError(f"{found!r} is not a country code whose holidays are known; {fix}")
    return found


Holidays = Annotated[str | list[date] | None, AfterValidator(_country)]


class WorkingHours(Model):
    """``[working_hours]``: from when until when people work, and on which days of the week."""

    start: time = time(8)
    end: time = time(16)
    days: list[Weekday] = Field(default=["mon", "tue", "wed", "thu", "fri"], min_length=1)

    @model_validator(mode="after")
    def _ends_after_start(self) -> WorkingHours:
        if self.end <= self.start:
            raise ValueError("'end' must be later than 'start' on the same day")
        return self


class TeamHours(Model):
    """``working_hours`` of a team; what is left out is the organisation's."""

    start: time | None = None
    end: time | None = None
    days: list[Weekday] | None = Field(default=None, min_length=1)
    holidays: Holidays = None
    closed_days: list[YearDay] | None = None
    timezone: Annotated[str, AfterValidator(zone_name)] | None = None


class WorkCalendar:
    """Which days are working days, and from when until when.

    Args:
        hours: Hours and days of the week.
        zone: Zone of the hours.
        holidays: Country, days, or nothing.
        closed: Days of every year on which nobody works, as month and day.
        years: Years that are asked for.
    """

    def __init__(
        self,
        hours: WorkingHours,
        zone: ZoneInfo,
        holidays: str | list[date] | None,
        closed: Collection[str],
        years: range,
    ) -> None:
        self._hours, self._zone, self._closed = hours, zone, set(closed)
        self._public: Collection[date] = holidays if isinstance(holidays, list) else ()
        if isinstance(holidays, str):
            from holidays import country_holidays

            self._public = set(country_holidays(holidays, years=years))

    def is_working_day(self, on: date) -> bool:
        """Whether people work on a day."""
        is_usual = WEEKDAYS[on.weekday()] in self._hours.days
        return is_usual and on not in self._public and f"{on:%m-%d}" not in self._closed

    def span(self, on: date) -> tuple[datetime, datetime]:
        """Return when work starts and ends on a day, UTC."""
        start, end = (
            datetime.combine(on, at, self._zone).astimezone(UTC) for at in (self._hours.start, self._hours.end)
        )
        return start, end
