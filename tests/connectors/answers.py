"""Ask a connector against answers written out in a test: what a source really sends, case by case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.connectors.kinds import KINDS
from opsmetrics.sources.fetching import FetchRequest

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
DAYS = (date(2026, 11, 9), date(2026, 11, 16))
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


class Answers:
    """A client that answers from a table: path -> answer, or function of the query.

    Attributes:
        asked: Path and query of every question.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table, self.asked = table, list[tuple[str, dict[str, Any]]]()

    def get(self, path: str, **query: Any) -> Any:
        """Answer, as ``Http.get`` does."""
        self.asked.append((path, query))
        answer = self._table[path]
        return answer(query) if isinstance(answer, Callable) else answer


def request_of(kind: str, stream: str, *, days: tuple[date, date] = DAYS, now: datetime = NOW, **settings: Any) -> Any:
    """Return the question to a connector of a kind with some settings."""
    connector = KINDS[kind](name=kind, kind=kind, streams=[stream], **settings)
    home = Settings(home=Path(), org=DEMO, data=None, now=None, sql=default_sql_root(), retry_seconds=0.01)
    return FetchRequest.make(home, load_organisation(DEMO), connector, stream, days, now)


def ask(monkeypatch, module: Any, request: Any, table: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Answers]:
    """Return the rows that a connector makes of answers, and what it asked for."""
    answers = Answers(table)
    monkeypatch.setattr(module, "_client", lambda _: nullcontext(answers))
    return list(getattr(module, request.stream)(request).rows), answers
