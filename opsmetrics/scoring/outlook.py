"""When work on a metric can show (method 3.12, ADR 0036): its points on each day to come.

A state shows when the work is done. What counts over a window shows only as old misses leave it: their days are known,
and new items are expected at the team's usual rate, or on their own due dates where more of those are known. Until the
work is done new items go as they went; from then on all of them are good.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from opsmetrics.catalogue import Catalogue, Metric
from opsmetrics.scoring.intervals import Floats
from opsmetrics.scoring.points import FULL_POINTS, KRAV_POINTS

# The longest window, a year, and the work of a year before it.
HORIZON_DAYS = 800
YEAR_DAYS = 365
_TINY = 1e-9
# A usual rate that rests on less of a window would be a guess many times over.
_LEAST_DELIVERED = 0.1
Days = npt.NDArray[np.int64]
KEY = tuple[object, ...]
_KEY = ["team_id", "as_of", "metric_id"]
ITEMS = {
    "team_id": pl.String,
    "metric_id": pl.String,
    "as_of": pl.Datetime("us", "UTC"),
    "grain": pl.String,
    "entity_id": pl.String,
    "entity_weight": pl.Float64,
    "item_on": pl.Date,
    "numerator": pl.Float64,
    "denominator": pl.Float64,
    "item_count": pl.Int64,
    "is_missed": pl.Boolean,
}
DUE = {
    "team_id": pl.String,
    "metric_id": pl.String,
    "as_of": pl.Datetime("us", "UTC"),
    "grain": pl.String,
    "due_on": pl.Date,
    "item_count": pl.Int64,
    "missed_count": pl.Int64,
}


def done_after(effort_days: float) -> int:
    """Return the calendar days that so many team-days take, five to a week; at least one."""
    return max(1, math.ceil(effort_days * 7 / 5 - _TINY))


def quarter_ends(on: date) -> tuple[date, date]:
    """Return the last day of the quarter in which a day lies, and of the next one."""

    def end(quarters: int) -> date:
        month = (on.month - 1) // 3 * 3 + 3 * quarters
        return date(on.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)

    return end(1), end(2)


@dataclass(frozen=True, slots=True)
class _Part:
    """The items of one entity, or of a whole metric: arrays over groups of items.

    Attributes:
        weight: Criticality weight.
        leaves: Day on which the items are out of the window; 0 where only work takes them out.
        numerator: Sums over the items.
        denominator: Sums over the items.
        count: Items.
        is_missed: Worse than the target.
        is_undecided: Missed so far, but can still be kept.
    """

    weight: float
    leaves: Days
    numerator: Floats
    denominator: Floats
    count: Days
    is_missed: npt.NDArray[np.bool_]
    is_undecided: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Prospect:
    """How one metric of one team can move from a day on.

    Attributes:
        on: Local day of today's value.
        points: Points today.
        metric: Its rules.
        parts: Items by entity; none where nothing is known of them.
        due: New items that are known to come: in all by each day from today, shape (days + 1,).
        due_missed: Those of them that are missed already.
        delivered: Share of the window that was delivered.
    """

    on: date
    points: float
    metric: Metric
    parts: tuple[_Part, ...]
    due: Floats
    due_missed: Floats
    delivered: float

    @property
    def basis(self) -> str:
        """What the dates rest on: ``work``, ``window``, ``items`` or ``due_dates``."""
        shows = self.metric.shows
        if shows == "work":
            return "work"
        if shows != "items" or not self.parts:
            return "window"
        return "due_dates" if self.due[-1] > 0 else "items"

    def path(self, done: int) -> Floats:
        """Return the points on each day from today, shape (days + 1,), where the work is done after ``done`` days."""
        days = np.arange(HORIZON_DAYS + 1)
        header = self.metric.header
        if self.basis == "work":
            return np.where(days >= done, FULL_POINTS, self.points)
        if self.basis == "window":
            rolled = (days - done) / self.metric.window_days
            if self.metric.shows == "spread":
                # Misses are taken to lie evenly in the window: what is still in it falls in proportion.
                today = _value_at(self.points, self.metric)
                return _points(today + (header.mal - today) * np.clip(rolled, 0.0, 1.0), self.metric)
            return np.where(rolled >= 1, FULL_POINTS, self.points)
        weights = np.array([part.weight for part in self.parts])
        modelled = weights @ np.stack([self._part_path(part, done) for part in self.parts]) / weights.sum()
        # A survival share or a part that is not known lies elsewhere today: the difference goes as the metric mends.
        room = FULL_POINTS - modelled[0]
        left = (FULL_POINTS - modelled) / room if room > _TINY else (days < done).astype(np.float64)
        return np.clip(modelled + (self.points - modelled[0]) * np.clip(left, 0.0, 1.0), 0.0, FULL_POINTS)

    def _part_path(self, part: _Part, done: int) -> Floats:
        window = self.metric.window_days
        usual, good = _levels(part, self.metric)
        span = window * max(self.delivered, _LEAST_DELIVERED)
        if part.count[part.is_missed].sum() / span * done < 1:
            # Less than one miss is to be expected until the work tells: then none is.
            usual = good
        days = np.arange(HORIZON_DAYS + 1)
        old = _left(part.leaves, part.denominator, done)
        kept = _left(part.leaves, part.numerator, done)
        undecided = part.is_undecided
        change = good * part.denominator[undecided] - part.numerator[undecided]
        kept = kept + np.where(days >= done, _left(part.leaves[undecided], change, done), 0.0)
        mended = part.leaves <= 0
        old = old + np.where(days >= done, part.denominator[mended].sum(), 0.0)
        kept = kept + np.where(days >= done, good * part.denominator[mended].sum(), 0.0)
        rate = part.denominator.sum() / span
        arrived = np.maximum(rate * days, self.due)
        gone = arrived[np.maximum(days - window, 0)]
        turned = arrived[np.minimum(days, done)]
        as_before, since = np.maximum(turned - gone, 0.0), arrived - np.maximum(turned, gone)
        total = old + as_before + since
        missed = self.due_missed - self.due_missed[np.maximum(days - window, 0)]
        worst = 0.0 if self.metric.header.floor < self.metric.header.mal else 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            value = (kept + usual * as_before + good * since + (worst - good) * missed) / total
        # Nothing to count: an entity that has no budget to spend has none until the work is done.
        value = np.where(total > 0, value, np.where(days >= done, self.metric.header.mal, self.metric.header.floor))
        return _points(value, self.metric)

    def shown_after(self, done: int, points: float = FULL_POINTS) -> int | None:
        """Return the first day from today with so many points; None within the horizon."""
        reached = np.flatnonzero(self.path(done) >= points - 1e-6)
        return int(reached[0]) if len(reached) else None

    def waits_for(self, done: int, shown: int) -> int:
        """Return how many missed items must leave the window between the work and the day on which it shows."""
        if self.basis in {"work", "window"}:
            return 0
        coming = self.due_missed[max(0, shown - self.metric.window_days)]
        return int(coming) + sum(
            int(part.count[part.is_missed & ~part.is_undecided & (part.leaves > done) & (part.leaves <= shown)].sum())
            for part in self.parts
        )


def _left(leaves: Days, amount: Floats, done: int) -> Floats:
    """Return what is left on each day of amounts that leave on some day; what only work takes out leaves with it."""
    day = np.clip(np.where(leaves <= 0, done, leaves), 1, HORIZON_DAYS + 1)
    gone = np.cumsum(np.bincount(day, amount, minlength=HORIZON_DAYS + 2))[: HORIZON_DAYS + 1]
    return np.maximum(amount.sum() - gone, 0.0) if (amount >= 0).all() else amount.sum() - gone


def _levels(part: _Part, metric: Metric) -> tuple[float, float]:
    """Return the ratio of the items as they usually go, and of those of them that are good."""
    total, good = part.denominator.sum(), part.denominator[~part.is_missed].sum()
    usual = part.numerator.sum() / total if total > 0 else metric.header.floor
    return usual, part.numerator[~part.is_missed].sum() / good if good > 0 else metric.header.mal


def _anchors(metric: Metric) -> tuple[Floats, Floats]:
    header = metric.header
    pairs = [(header.floor, 0.0), (header.mal, FULL_POINTS)]
    if header.krav is not None:
        pairs.append((header.krav, KRAV_POINTS))
    values, points = zip(*sorted(pairs), strict=True)
    return np.array(values), np.array(points)


def _points(value: Floats, metric: Metric) -> Floats:
    """Points of values, as ``scoring.points`` gives them."""
    return np.interp(value, *_anchors(metric))


def _value_at(points: float, metric: Metric) -> float:
    """The value that has so many points."""
    values, scale = _anchors(metric)
    order = np.argsort(scale)
    return float(np.interp(points, scale[order], values[order]))


def prospects(catalogue: Catalogue, cells: pl.DataFrame, items: pl.DataFrame, due: pl.DataFrame) -> dict[KEY, Prospect]:
    """Return ``(team_id, as_of, metric_id)`` -> how that metric can move.

    Args:
        catalogue: For windows and thresholds.
        cells: ``team_id, metric_id, as_of, on, points, completeness`` of the cells that are asked for, at one instant
            each.
        items: Columns as ``ITEMS``: the items of today's windows in groups of a day.
        due: Columns as ``DUE``: known items that fall due after today.
    """
    dues = due.partition_by(_KEY, as_dict=True)
    metrics = {metric.id: metric for metric in catalogue.metrics}
    parts = _parts(items, metrics, cells.select("as_of", "on").unique())
    found: dict[KEY, Prospect] = {}
    for team, at, name, on, points, completeness in cells.select(*_KEY, "on", "points", "completeness").iter_rows():
        wanted, metric = (team, at, name), metrics[name]
        mine = tuple(parts.get(wanted, ())) if metric.shows == "items" else ()
        coming, missed = (_due(dues.get(wanted), on, column) for column in ("item_count", "missed_count"))
        found[wanted] = Prospect(on, points, metric, mine, coming, missed, completeness or 0.0)
    return found


def _parts(items: pl.DataFrame, metrics: Mapping[str, Metric], days: pl.DataFrame) -> dict[KEY, list[_Part]]:
    """The items of each team and metric by entity; ``days`` says which local day an instant ends."""
    reach = {name: metric.window_days + metric.header.counts_after_days for name, metric in metrics.items()}
    decided = {name: metric.header.undecided_days for name, metric in metrics.items()}
    name = pl.col("metric_id").cast(pl.String)
    age = (pl.col("on") - pl.col("item_on")).dt.total_days()
    order = [*_KEY, "entity_id"]
    dated = (
        items.join(days, on="as_of")
        .with_columns(
            leaves=(name.replace_strict(reach, return_dtype=pl.Int64) - age).clip(lower_bound=0).fill_null(0),
            undecided=(pl.col("is_missed") & (age < name.replace_strict(decided, return_dtype=pl.Int64))).fill_null(
                value=False
            ),
        )
        .sort(*order, "item_on", "is_missed")
    )
    columns = ("leaves", "numerator", "denominator", "item_count", "is_missed", "undecided")
    values = [dated[column].to_numpy() for column in columns]
    found: dict[KEY, list[_Part]] = defaultdict(list)
    start = 0
    groups = dated.group_by(order, maintain_order=True).agg(size=pl.len(), weight=pl.col("entity_weight").first())
    for team, at, metric, _, size, weight in groups.iter_rows():
        arrays = (value[start : start + size] for value in values)
        found[team, at, metric].append(_Part(float(weight or 1.0), *arrays))
        start += size
    return found


def _due(due: pl.DataFrame | None, on: date, column: str) -> Floats:
    if due is None:
        return np.zeros(HORIZON_DAYS + 1)
    day = np.clip((due["due_on"] - on).dt.total_days().to_numpy(), 1, HORIZON_DAYS + 1)
    count = due[column].to_numpy().astype(np.float64)
    each = np.bincount(day, count, minlength=HORIZON_DAYS + 2).astype(np.float64)
    return np.cumsum(each)[: HORIZON_DAYS + 1]
