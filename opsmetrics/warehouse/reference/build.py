"""``meta`` tables of the build itself: what it may know, whose it is, and that it is finished; one row each."""

from __future__ import annotations

from datetime import datetime

from opsmetrics.catalogue import Catalogue
from opsmetrics.core.declare import Column, Row, Table, at, flag, id_, share, text
from opsmetrics.core.version import CODE_VERSION
from opsmetrics.organisation import Organisation

_KNOWN_AT = at("known_at", "Loads landed later are left out, UTC", required=True)
_RULESET_VERSION = id_("ruleset_version", "Version of the ruleset")
_RULESET_DIGEST = id_("ruleset_digest", "SHA-256 of the ruleset")

KNOWN = Table(
    "meta.known",
    "What this build may know, and under which rules",
    (
        _KNOWN_AT,
        _RULESET_VERSION,
        _RULESET_DIGEST,
        share("weakest_share", "Lambda: share of the weakest area in the team score (method 3.5)", required=True),
        Column("level_edges", "numbers", "Scores at which levels 1 to 4 begin (method 3.6)", required=True),
    ),
    ("known_at",),
)


def known_row(catalogue: Catalogue, known_at: datetime) -> list[Row]:
    """Return the row of ``meta.known``."""
    ruleset = catalogue.ruleset
    return [
        {
            "known_at": known_at,
            "ruleset_version": catalogue.version,
            "ruleset_digest": catalogue.digest,
            "weakest_share": ruleset.weakest_share,
            "level_edges": ruleset.level_edges,
        }
    ]


ORGANISATION = Table(
    "meta.organisation",
    "The organisation of this snapshot",
    (
        id_("organisation_id", "Id"),
        id_("name_nb", "Name, Norwegian"),
        id_("name_en", "Name, English"),
        text("language", "Language of pages where nobody chooses another: nb or en", required=True),
        id_("timezone", "Zone whose midnights cut days"),
        at("frozen_at", "Instant at which the configured clock stands still; null = it goes"),
        flag("is_fictional", "True: the data are invented and every page says so", required=True),
    ),
    ("organisation_id",),
)


def organisation_row(configured: Organisation) -> list[Row]:
    """Return the row of ``meta.organisation``."""
    settings = configured.settings
    return [
        {
            "organisation_id": settings.id,
            "name_nb": settings.name.nb,
            "name_en": settings.name.en,
            "language": settings.language,
            "timezone": settings.timezone,
            "frozen_at": settings.now,
            "is_fictional": settings.fictional,
        }
    ]


BUILD = Table(
    "meta.build",
    "The build behind this file; absent while a build is under way",
    (
        id_("build_id", "Digest of everything that decides the content"),
        at("built_at", "Clock of the build, UTC", required=True),
        _KNOWN_AT,
        id_("code_version", "Version of the code"),
        _RULESET_VERSION,
        _RULESET_DIGEST,
        id_("organisation_digest", "SHA-256 of the configuration"),
    ),
    ("build_id",),
)


def build_row(
    build_id: str, organisation: Organisation, catalogue: Catalogue, *, built_at: datetime, known_at: datetime
) -> list[Row]:
    """Return the row of ``meta.build``."""
    return [
        {
            "build_id": build_id,
            "built_at": built_at,
            "known_at": known_at,
            "code_version": CODE_VERSION,
            "ruleset_version": catalogue.version,
            "ruleset_digest": catalogue.digest,
            "organisation_digest": organisation.digest,
        }
    ]
