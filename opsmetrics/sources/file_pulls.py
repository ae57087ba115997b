"""Pull files: what is new in them, what changed, and what they no longer cover (ADR 0028).

A file is looked at by size, times and inode, read when any of these differs from what was noted, and landed when its
content does. One of which rows were set aside is read once a day: what had not happened then may have since. One file
a day: each day is a delivery of its own, also where two files hold the same bytes. One whole file: landed from the
first day that differs; days that earlier loads of it claimed and that it no longer covers are taken back.
Does not belong here: reading a file into rows (``opsmetrics.sources.files``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import Settings
from opsmetrics.landing import Batch, Load, LoadName, land, names, read_loads, read_named, short_digest
from opsmetrics.organisation import Organisation, StreamSource
from opsmetrics.sources import files
from opsmetrics.sources.claims import DAY, within
from opsmetrics.sources.file_marks import content_digest, day_digests, has_loose_rows, is_settled, rules_digest, stat_of
from opsmetrics.sources.notes import DayMark, FileMark, PullNote, Window, days_of
from opsmetrics.streams import STREAMS


def _said_once(problems: list[Problem]) -> list[Problem]:
    """Say what is wrong with several daily files in the same way once, at the first of them."""
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.message, problem.fix), []).append(problem)
    return [
        first
        if not others
        else replace(first, message=f"{first.message} (as in {len(others)} more files, up to {others[-1].file})")
        for first, *others in alike.values()
    ]


class FilePull:
    """One pull of the files of one stream.

    Attributes:
        loads: Loads that were landed.
        errors: What could not be read.
        told: What was taken back.
        unchanged: Files that say what they said before.
        known: Number -> name of each load of this source that was there before.
        files: Each file as it was last looked at.
        days: What was landed for each day of a whole file.
    """

    def __init__(
        self, settings: Settings, organisation: Organisation, source: StreamSource, now: datetime, note: PullNote | None
    ) -> None:
        self.loads: list[Load] = []
        self.errors: list[str] = []
        self.told: list[str] = []
        self.unchanged = 0
        self.files = dict(note.files) if note else {}
        self.days = dict(note.days) if note else {}
        self._landing, self._organisation, self._source, self._now = settings.landing, organisation, source, now
        self._stream = STREAMS[source.name]
        self._today = now.astimezone(organisation.zone).date()
        self._reading = files.Reading(
            organisation, source, self._stream, files.files_root(organisation, settings.data), self._today
        )
        self._rules = rules_digest(source, self._stream, self._today)
        self.known = {
            name.sequence: name for name in names(settings.landing, source.name) if name.origin == source.origin
        }
        self._newest = {day: name for name in self.known.values() for day in days_of(name.window)}

    def run(self, window: Window | None, *, fill_gaps: bool) -> None:
        """Land files one by one; one that cannot be read is reported and the others still land.

        Args:
            window: Half-open local days to look at; default: all days that files cover.
            fill_gaps: Beside ``window``, look at every earlier day too, and take whole files as they are.

        Raises:
            SourceError: There is no file of these days.
        """
        looked_at, cut = window, window
        if fill_gaps and window is not None:
            looked_at, cut = (min(window[0], self._organisation.settings.history_from), window[1]), None
        count = 0
        problems: list[Problem] = []
        for path, day in files.planned(self._reading, looked_at):
            count += 1
            try:
                self._file(path, day, None if self._source.is_daily else cut)
            except SourceError as error:
                problems.append(error.problem)
        self.errors += [str(problem) for problem in _said_once(problems)]
        if count == 0:
            message = "no file of these days exists"
            where = str(self._reading.root / self._source.path)
            raise SourceError(Problem(where, None, message, "check path in sources.toml"))

    def _file(self, path: Path, day: Window | None, cut: Window | None) -> None:
        """Look at one file, and read it where it is not what it was."""
        place = day[0].isoformat() if day else self._source.path
        found, stat = self.files.get(place), stat_of(files.paths_of(self._reading, path, day))
        mark = found if self._last_word(found, day) else None
        today = self._today.isoformat()
        is_judged = mark is not None and mark.judged_on in {"", today}
        if cut is None and mark and is_judged and stat and (mark.stat, mark.rules) == (stat, self._rules):
            self.unchanged += 1
            return
        marker = files.mark(files.digest(self._reading, path, day), cut)
        if cut is None and mark and is_judged and mark.marker == marker:
            sequence, content = mark.sequence, mark.content
            self.unchanged += 1
        elif mark is None and (load := self._landed_before(marker, day, cut)):
            sequence, content = load.sequence, ""
            self.unchanged += 1
        else:
            sequence, content = self._read(path, day, cut, mark)
        if cut is None and sequence:
            noted = stat if is_settled(stat) else []
            self.files[place] = FileMark(noted, self._rules, marker, sequence, today if content else "", content)

    def _last_word(self, mark: FileMark | None, day: Window | None) -> bool:
        """Whether what came of the file when it was noted is still the last word on its days."""
        if mark is None or mark.sequence not in self.known:
            return False
        if day is not None:
            return self._newest[day[0]].sequence == mark.sequence
        # Loads that the note does not know came of a pull beside this one.
        noted = {mark.sequence, *(held.sequence for held in self.days.values())}
        return noted <= self.known.keys() and max(self.known) == max(noted)

    def _landed_before(self, marker: str, day: Window | None, cut: Window | None) -> LoadName | None:
        """Return the load of the same content and days, where it is still the last word on them."""
        digest = short_digest(marker)
        if self._stream.is_register:
            words = {max(self.known): self.known[max(self.known)]} if self.known else {}
        else:
            asked = days_of(day or cut or (self._today, self._today))
            words = {name.sequence: name for held in asked if (name := self._newest.get(held))}
        same = [name for name in words.values() if name.digest == digest]
        if len(words) != 1 or not same:
            return None
        load = read_named(self._landing, self._source.name, same[0])
        # On which day rows of it were set aside is not noted: it is read again.
        is_judged = cut is not None or (load is not None and not load.quarantined)
        return same[0] if is_judged else None

    def _read(self, path: Path, day: Window | None, cut: Window | None, mark: FileMark | None) -> tuple[int, str]:
        """Land a file; return the number of the load that holds it, and the digest of its rows if some do not count."""
        batch = files.read_parcel(self._reading, path, landing=self._landing, day=day, window=cut)
        content = content_digest(batch)
        self.told += [f"{batch.source}: {note}" for note in batch.notes]
        for start, end in batch.holes:
            fix = "export it too"
            fix += ", or say in the header with covers that nothing happened" if self._reading.query else ""
            self.told.append(
                f"{batch.source}: no file is about {start} to {end - DAY}, so nothing is known of it; {fix}"
            )
        if batch.window[0] >= batch.window[1]:
            return max(self.known, default=0), content
        if day is None and not self._stream.is_register:
            landed = self._whole(batch, is_cut=cut is not None)
            return landed.sequence if landed else max(self.known, default=0), content
        if mark and content and mark.content == content:
            self.unchanged += 1
            return mark.sequence, content
        return self._land(batch).sequence, content

    def _land(self, batch: Batch) -> Load:
        load = land(self._landing, self._source.name, batch, loaded_at=self._now)
        self.loads.append(load)
        self.known[load.sequence] = LoadName.of(load.load_id)
        self._newest |= dict.fromkeys(days_of(batch.window), self.known[load.sequence])
        return load

    def _whole(self, batch: Batch, *, is_cut: bool) -> Load | None:
        """Land a whole file from the first day that differs from what was landed, and take back what it left."""
        mark = self.files.get(self._source.path)
        held = self.days if self._last_word(mark, None) else {}
        claimed = set[date]() if is_cut else {date.fromisoformat(day) for day in held} or self._claimed(batch.source)
        batch = self._remembered(batch, claimed)
        digests = day_digests(batch)
        if not is_cut and not held and self._landed_unnoted(batch):
            self.unchanged += 1
            newest = {day.isoformat(): name.sequence for day, name in self._newest.items()}
            self.days = {day: DayMark(newest[day], digest) for day, digest in digests.items()}
            return None
        changed = [day for day, digest in digests.items() if day not in held or held[day].digest != digest]
        withdrawn = self._left(batch, claimed)
        if not changed and not withdrawn and not self._leaves_out_others(batch):
            self.unchanged += 1
            return None
        # Rows set aside without a day would be counted with each load that they come in: the file lands whole then.
        start = (
            batch.window[0] if is_cut or has_loose_rows(batch) else date.fromisoformat(min([*changed, max(digests)]))
        )
        window = (start, batch.window[1])
        kept = batch.frame.filter(pl.col("_day").is_null() | pl.col("_day").is_between(*window, closed="left"))
        frame = batch.frame if start == batch.window[0] else kept
        part = replace(batch, frame=frame, window=window, withdrawn=tuple(withdrawn))
        load = self._land(replace(part, unproven=within(batch.unproven, window)))
        if not is_cut:
            self.days = {day: mark for day, mark in held.items() if day in digests}
        self.days |= {d.isoformat(): DayMark(load.sequence, digests[d.isoformat()]) for d in days_of(window)}
        return load

    def _landed_unnoted(self, batch: Batch) -> bool:
        """Whether the newest load is this file as it stands: a pull died before it noted that it had landed it."""
        newest = self.known[max(self.known)] if self.known else None
        if newest is None or (newest.digest, newest.window[1]) != (short_digest(batch.source_digest), batch.window[1]):
            return False
        if not self._newest.keys() >= set(days_of(batch.window)):
            return False
        load = read_named(self._landing, self._source.name, newest)
        if load is None or not load.is_complete:
            return False
        # What had not happened on the day that it was judged may have since.
        has_aside = load.quarantined > 0 or batch.frame["_reason"].null_count() < batch.frame.height
        return not has_aside or load.loaded_at.astimezone(self._organisation.zone).date() == self._today

    def _leaves_out_others(self, batch: Batch) -> bool:
        """Whether a file has other columns to leave out than the last load: they are named, also with the same rows."""
        load = read_named(self._landing, self._source.name, self.known[max(self.known)]) if self.known else None
        return load is not None and load.dropped_columns != batch.dropped_columns

    def _remembered(self, batch: Batch, claimed: set[date]) -> Batch:
        """Let a file of the newest days prove those of them before its first row that it claimed before."""
        memory = self._source.remembers_days
        if memory is None:
            return batch
        first = self._today - timedelta(days=memory - 1)
        start = min((day for day in claimed if day >= first), default=batch.window[0])
        return replace(batch, window=(min(start, batch.window[0]), batch.window[1]))

    def _left(self, batch: Batch, claimed: set[date]) -> list[Window]:
        """Return the days that earlier loads of this file claimed and that it no longer covers."""
        left = sorted(day for day in claimed if not batch.window[0] <= day < batch.window[1])
        memory = self._source.remembers_days
        if memory is not None:
            left = [day for day in left if day >= batch.window[1]]
        if self._source.valid_to is not None:
            left = [day for day in left if day < self._source.valid_to]
        if not left:
            return []
        fix = "" if memory else "; if the export holds only its newest days, say so with remembers_days"
        days = f"{left[0]} to {left[-1]} ({len(left)} days)"
        self.told.append(f"{batch.source} no longer covers {days}: what it told of them before is taken back{fix}")
        gaps = [place for place, (day, following) in enumerate(pairwise(left), start=1) if following - day > DAY]
        return [(left[a], left[b - 1] + DAY) for a, b in pairwise([0, *gaps, len(left)])]

    def _claimed(self, source: str) -> set[date]:
        """Days that the loads of a file claim together, read from the loads: the note of them is lost."""
        found: set[date] = set()
        for load in read_loads(self._landing, self._source.name, self._source.origin):
            if load.source == source:
                found -= {day for window in load.withdrawn for day in days_of(window)}
                found |= set(days_of((load.window_start, load.window_end)))
        return found
