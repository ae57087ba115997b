"""What an issue form says under agreed headings: times and opaque codes; no text, no name leaves here.

Belongs here: reading a body. Does not belong here: asking for issues, and what else GitHub says of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from opsmetrics.sources.codes import code_of, reference_of

# Headings of the issue form -> column; both languages, as in docs/sources.md.
HEADINGS = {
    "varslet av alarm": "first_alert_at",
    "first alert": "first_alert_at",
    "meldt av bruker": "first_report_at",
    "first report": "first_report_at",
    "erklært": "declared_at",
    "declared": "declared_at",
    "løst": "resolved_at",
    "resolved": "resolved_at",
    "hendelsesansvarlig utpekt": "manager_assigned_at",
    "incident manager assigned": "manager_assigned_at",
    "post mortem publisert": "postmortem_published_at",
    "post mortem published": "postmortem_published_at",
    "myndighet varslet": "notified_at",
    "authority notified": "notified_at",
    "utløst av": "caused_by_deployment_id",
    "caused by": "caused_by_deployment_id",
    "signatur": "signature",
    "signature": "signature",
    "hendelsesnummer": "own_id",
    "incident number": "own_id",
    "hendelse": "incident_id",
    "incident": "incident_id",
    "besluttet": "created_at",
    "decided": "created_at",
    "frist": "first_due_at",
    "due": "first_due_at",
    "utført": "done_at",
    "done": "done_at",
}
# What may be a day and time, in whatever form: the contract reads it, or sets the row aside and says why.
_CLOCK_LIKE = re.compile(r"[0-9][0-9TZ:.,+/ -]{3,39}")
# What stands in a row instead of a text that is no time: it breaks the contract, and repeats nothing of the issue.
NO_TIME = "words where a time belongs"
# What GitHub writes where nothing was filled in.
_EMPTY = "_No response_"


@dataclass(slots=True)
class Form:
    """What an issue form says under the agreed headings.

    Attributes:
        fields: Column -> text of a time, or a code.
        passed_over: Headings that begin like an agreed one, of which nothing was read.
    """

    fields: dict[str, str] = field(default_factory=dict[str, str])
    passed_over: int = 0


def form_of(body: str) -> Form:
    """Read times and codes under the agreed ``###`` headings of an issue form; everything else is left there.

    A value may stand in the line of its heading. Of two values of one heading the first counts.
    """
    form = Form()
    column: str | None = None
    for line in body.splitlines():
        text = line.strip()
        if line.startswith("#"):
            column, text = _heading(text.lstrip("#").strip())
            if column is None:
                form.passed_over += bool(text)
                continue
        if column is not None and text and text != _EMPTY and column not in form.fields:
            value = _value(column, text)
            if value is not None:
                form.fields[column] = value
            # A code that is a sentence stays where it is, and so do the lines below.
            column = None
    return form


def _heading(text: str) -> tuple[str | None, str]:
    """Return the column of a heading and the value in its line; without a column, what makes it another heading."""
    lower = text.lower().rstrip(" :")
    if lower in HEADINGS:
        return HEADINGS[lower], ""
    name = max((n for n in HEADINGS if re.match(rf"{re.escape(n)}\b(?!-)", lower)), key=len, default=None)
    rest = text[len(name) :].strip(" :\u2013-") if name else ""
    return (HEADINGS[name], rest) if name and any(sign.isdigit() for sign in rest) else (None, rest)


def _value(column: str, text: str) -> str | None:
    if column.endswith("_at"):
        return text if _CLOCK_LIKE.fullmatch(text) else NO_TIME
    return reference_of(text) if column in {"caused_by_deployment_id", "incident_id"} else code_of(text)
