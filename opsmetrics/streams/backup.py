"""Backup and restore."""

from __future__ import annotations

from opsmetrics.core.declare import Column, at, flag, id_, number, or_none
from opsmetrics.streams.model import Stream, in_order

STREAMS: tuple[Stream, ...] = (
    Stream(
        "recovery_points",
        "One recovery point of a datastore",
        (
            id_("datastore_id", "Datastore, as in datastores.toml"),
            at("taken_at", "When it was taken", required=True),
            flag("is_usable", "Complete and, for class A, verified", required=True),
        ),
        ("datastore_id", "taken_at"),
        "taken_at",
    ),
    Stream(
        "backup_copies",
        "State of one backup copy of a datastore on one day",
        (
            id_("datastore_id", "Datastore, as in datastores.toml"),
            id_("copy_id", "Copy"),
            Column("observed_on", "date", "Day of the observation", required=True),
            flag("has_own_identity", "Nobody who can delete the original can delete it"),
            flag("is_immutable_or_offline", "It cannot be changed"),
            flag("is_other_region", "It lies in another region"),
        ),
        ("datastore_id", "copy_id", "observed_on"),
        "observed_on",
        expected_hours=24 * 7,
    ),
    Stream(
        "restore_tests",
        "One restore test (source contracts, section F)",
        (
            id_("test_id", "Id"),
            id_("datastore_id", "Datastore, as in datastores.toml"),
            at("requested_at", "When the restore was asked for", required=True),
            or_none(at("restored_at", "When the data were back")),
            or_none(at("verified_at", "When they were verified usable")),
            flag("is_successful", "The test succeeded", required=True),
            number("data_gb", "Size, gigabytes"),
        ),
        ("test_id",),
        None,
        expected_hours=24 * 31,
        rules=in_order("requested_at", "restored_at", "verified_at"),
    ),
)
