"""What to write where so that a name of a source leads to something of the configuration."""

from __future__ import annotations

import json

from opsmetrics.core.model import is_slug, slug
from opsmetrics.organisation.names import folded

# Kind of name -> the file of the configuration that such names stand in.
FILE = {
    "service": "services.toml",
    "repository": "services.toml",
    "monitor": "services.toml",
    "team": "teams.toml",
    "datastore": "datastores.toml",
    "environment": "organisation.toml",
}


def fix_of(kind: str, name: str) -> str:
    """Return what to write, and into which file.

    Args:
        kind: What it names.
        name: As the source writes it; of a monitor without its provider.
    """
    said = json.dumps(name, ensure_ascii=False)
    match kind:
        case "service":
            text = f"write {said} into aliases of the service that it is, or add it as a [[service]]"
        case "repository":
            text = f"write {said} into repositories of the service that it is of"
        case "monitor":
            text = (
                f"write {{ id = {said}, hold_minutes = 20 }} into monitors of the service that it watches, 20 being the"
                ' time between its checks and a little more; kind = "transitions" where the source writes changes only'
            )
        case "team":
            text = f"write {said} into aliases of the team that it is"
        case "environment":
            text = f"write {said} into prod of [environments], if it is production"
        case _ if is_slug(folded(name)):
            text = (
                f'write [[datastore]] with id = "{folded(name)}" and service = "..." of the service whose data it holds'
            )
        case _:
            text = (
                f'{said} cannot be an id: write [[datastore]] with id = "{slug(name)}" and service = "...", and in the'
                f" query mapped(..., map {{ {_sql(name)}: {_sql(slug(name))} }}) as datastore_id"
            )
    return f"{FILE[kind]}: {text}"


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
