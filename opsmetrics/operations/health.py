"""What is wrong with the scorecard's own supply: an old snapshot, sources that fail, gaps that become permanent.

Read from the current snapshot, so that a message, the data-quality page and an analyst's query say the same.
Does not belong here: how it is sent (``opsmetrics.operations.notify``) or when (``pipelines.sensors``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import duckdb

from opsmetrics.core.errors import SnapshotError
from opsmetrics.core.half_restored import under_way
from opsmetrics.core.instants import instant
from opsmetrics.core.settings import Settings
from opsmetrics.operations import housekeeping_records
from opsmetrics.operations.restore_records import newest_test
from opsmetrics.snapshots.notices import Sentence, read_notices, sentences
from opsmetrics.snapshots.results import Upkeep
from opsmetrics.snapshots.store import open_current

# A daily build that ran late is not news; one that did not run is.
LONGEST_WAIT = timedelta(hours=26)

_SOURCES = """
    select 'source/' || stream || '/' || origin || '/' || state,
        stream || ' from ' || origin || ': ' ||
            case state when 'late' then 'no new data since ' || coalesce(last_day::varchar, 'ever')
                else coalesce(split_part(error, chr(10), 1), case when quarantined > 0
                    then 'no day of it is known whole: rows were set aside' else 'nothing was ever delivered' end) end
    from marts.source_health where state in ('failed', 'late')
    order by 1
"""
_GAPS = """
    select 'gap/' || stream || '/' || origin || '/' || starts_on || '/' || state,
        stream || ' from ' || origin || ': ' || starts_on || ' to ' || ends_on || ' are missing'
            || case state when 'lost' then ', and the source has forgotten them'
                else ', and the source forgets them from ' || lost_on || ' on' end
    from marts.missing_days where state in ('at_risk', 'lost')
    order by 1
"""
_DAMAGED = """
    select 'damaged/' || stream || '/' || load_id,
        'landing file of ' || stream || ' (' || window_start || ' to ' || window_end || ') was damaged and set aside'
    from meta.damaged_loads
    order by 1
"""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that somebody should look at.

    Attributes:
        key: The same as long as it is the same issue.
        text: One line: what, and since when or until when.
        level: ``error``, or ``warning`` for what leaves some of the data out or may be meant.
    """

    key: str
    text: str
    level: Literal["error", "warning"] = "error"


def issues(settings: Settings, now: datetime) -> list[Issue]:
    """Return all that is wrong at ``now``: a restore that was cut off alone, else the snapshot itself first."""
    restore = under_way(settings.home)
    if restore is not None:
        return [Issue("restore", restore.said)]
    kept = list(_upkeep(settings))
    try:
        with open_current(settings.snapshots) as con:
            return [*_age(con, now), *(Issue(*row) for row in _rows(con)), *_said(con, errors=True), *kept]
    except SnapshotError as error:
        return [Issue("snapshot", str(error)), *kept]


def _upkeep(settings: Settings) -> Iterator[Issue]:
    """What the last backup, compaction and restore test found or failed at."""
    for what in (housekeeping_records.BACKUP, housekeeping_records.COMPACTION):
        record = housekeeping_records.read_record(settings.home, what)
        if record is not None and record.result == housekeeping_records.FAILED:
            since = f"; the last whole one was at {record.succeeded_at}" if record.succeeded_at else ""
            for line in record.said:
                yield Issue(f"upkeep/{what}/{line}", f"{what} of {record.began_at}: {line}{since}")
    test = newest_test(settings.home)
    if test is not None and test.result != "ok":
        yield Issue(f"upkeep/restore-test/{test.said}", f"restore test of {test.started_at} failed: {test.said}")


def upkeep(settings: Settings) -> list[Upkeep]:
    """Return how backup, compaction and restore test stand; what never ran is left out."""
    records = [
        record
        for what in (housekeeping_records.BACKUP, housekeeping_records.COMPACTION)
        if (record := housekeeping_records.read_record(settings.home, what))
    ]
    found = [
        Upkeep(
            record.what,
            len(record.said),
            instant(record.succeeded_at),
        )
        for record in records
    ]
    test = newest_test(settings.home)
    if test is not None:
        at = instant(test.verified_at)
        found.append(Upkeep("restore_test", int(test.result != "ok"), at))
    return found


def warnings(settings: Settings) -> list[Issue]:
    """Return what leaves some of the data out or may be meant; without a snapshot nothing."""
    try:
        with open_current(settings.snapshots) as con:
            return _said(con, errors=False)
    except SnapshotError:
        return []


def _said(con: duckdb.DuckDBPyConnection, *, errors: bool) -> list[Issue]:
    return [_issue(sentence) for sentence in sentences(read_notices(con)) if sentence.is_error is errors]


def _issue(sentence: Sentence) -> Issue:
    return Issue(
        f"{sentence.kind}/{sentence.stream}",
        f"{sentence.text}; {sentence.fix}",
        "error" if sentence.is_error else "warning",
    )


def _age(con: duckdb.DuckDBPyConnection, now: datetime) -> list[Issue]:
    ((built,),) = con.execute("select built_at from meta.build").fetchall()
    if built.astimezone(UTC) - now > LONGEST_WAIT:
        # It would be fresh until that day, whatever became of the builds since.
        said = f"the newest snapshot says that it was built {built:%Y-%m-%d %H:%M} UTC, which is to come"
        return [Issue("snapshot", f"{said}: a clock was ahead; set it right and run `opsmetrics run`")]
    if now - built.astimezone(UTC) <= LONGEST_WAIT:
        return []
    return [Issue("snapshot", f"the newest snapshot was built {built:%Y-%m-%d %H:%M} UTC: builds fail or do not run")]


def _rows(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return [row for query in (_SOURCES, _GAPS, _DAMAGED) for row in con.execute(query).fetchall()]
