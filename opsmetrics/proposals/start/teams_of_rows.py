"""Teams that exports name beside a service: who handled its records, and since when, as a proposal of who owns it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl

from opsmetrics.core.json_text import json_value
from opsmetrics.core.model import slug
from opsmetrics.organisation.queries import QuerySource
from opsmetrics.proposals.start.draft import Draft, OwnerDraft
from opsmetrics.sources.query_run import answer
from opsmetrics.streams import STREAMS

# The last select of a recipe begins with the place of its rows; the team is read beside it, and only here.
_PLACE = "    _file, _line,\n"
_TEAM = "_handled_by"
# Fewer records than these are somebody who helped, not somebody who took over.
_LEAST_ROWS = 3


@dataclass(frozen=True, slots=True)
class Turn:
    """A team's part of the records of a service.

    Attributes:
        team: Name as the export writes it.
        first: Day of its first record.
        last: Day of its last.
        rows: How many.
    """

    team: str
    first: date
    last: date
    rows: int


def read_teams(draft: Draft, query: QuerySource, column: str, root: Path, rows: pl.DataFrame, where: str) -> None:
    """Propose the teams that handled the records of a service as those that own it.

    Args:
        draft: What is proposed so far; who is named there already is believed.
        query: Query of the export.
        column: Column that names the team, as the export writes it.
        root: Folder of the exports.
        rows: Rows of the query that keep the contract.
        where: File, for people.

    Raises:
        SourceError: The query cannot be carried out.
    """
    head, place, tail = query.sql.rpartition(_PLACE)
    if not place or "service_id" not in rows.columns:
        return
    quoted = '"' + column.replace('"', '""') + '"'
    told = answer(
        query.model_copy(update={"sql": f"{head}{place}    {quoted} as {_TEAM},\n{tail}"}), (root,), where
    ).table
    keys = list(STREAMS[query.name].key)
    named = told.data.filter(told.broken.is_null()).select(*(pl.col(key).cast(pl.String) for key in keys), _TEAM)
    joined = rows.with_columns(pl.col(key).cast(pl.String) for key in keys).join(named.unique(), on=keys)
    known = joined.filter(pl.col("service_id").is_not_null(), pl.col("_day").is_not_null()).select(
        "service_id", "_day", pl.col(_TEAM).map_elements(one_team, return_dtype=pl.String)
    )
    for (service,), some in known.drop_nulls().sort("service_id", "_day").group_by(["service_id"], maintain_order=True):
        _propose(draft, str(service), _turns(some), where)


def one_team(text: str) -> str | None:
    """Return the team that a cell names: ``[Helse]`` and ``["Helse"]`` are Helse; None where it is several or none."""
    try:
        found = json_value(text)
    except ValueError:
        found = re.sub(r"^\[|\]$", "", text.strip()).split(",")
    names = found if isinstance(found, list) else [text]
    kept = {name.strip() for name in names if isinstance(name, str) and name.strip()}
    return kept.pop() if len(kept) == 1 else None


def _turns(some: pl.DataFrame) -> list[Turn]:
    """Return the teams by their first day."""
    counted = some.group_by(_TEAM).agg(
        pl.col("_day").min().alias("first"), pl.col("_day").max().alias("last"), pl.len().alias("rows")
    )
    return [
        Turn(*row) for row in counted.sort("first", "last", _TEAM).select(_TEAM, "first", "last", "rows").iter_rows()
    ]


def _propose(draft: Draft, name: str, turns: list[Turn], where: str) -> None:
    service = draft.service(name)
    count = sum(turn.rows for turn in turns)
    is_handed_over = all(turn.rows >= _LEAST_ROWS for turn in turns) and all(
        one.last < two.first for one, two in pairwise(turns)
    )
    most = max(turns, key=lambda turn: (turn.rows, turn.last))
    chosen = turns if is_handed_over else [most]
    if service.owners:
        # Said, and no more: a desk may handle records of services that others own, and is no team for that.
        draft.owned(service, [OwnerDraft(slug(chosen[-1].team), date.max, "")], where)
        return
    owners = [
        OwnerDraft(
            draft.team(turn.team, where),
            turn.first if number else date.max,
            f"{turn.team} handled its records in {where} from {turn.first} on",
        )
        for number, turn in enumerate(chosen)
    ]
    others = ", ".join(f"{turn.team} {turn.rows}" for turn in turns if turn not in chosen)
    shares = f"{sum(turn.rows for turn in chosen)} of its {count} records in {where}" + (
        f" ({others})" if others else ""
    )
    what = f"{service.id}: {' then '.join(turn.team for turn in chosen)} owns it, having handled {shares}"
    draft.guess("services.toml", what, "write who answers for it, and since when, where that is another team")
    draft.owned(service, owners, where)
