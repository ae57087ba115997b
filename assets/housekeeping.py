"""Housekeeping: compaction, a backup, and a restore test of our own service, recorded like everybody's.

Asset keys, group and job keep the name ``upkeep``: schedules, records and dashboards of installations know it.
"""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from assets.freshness import WEEKLY
from assets.resources import WRITER_POOL, Workspace
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.settings import Settings
from opsmetrics.operations.backup import back_up
from opsmetrics.operations.housekeeping import housekeeping
from opsmetrics.operations.restore_tests import restore_test

COMPACTION = dg.AssetKey(["upkeep", "compaction"])
BACKUP = dg.AssetKey(["upkeep", "backup"])
RESTORE_TEST = dg.AssetKey(["upkeep", "restore_test"])


def _folder(settings: Settings) -> Path:
    if settings.backup is None:
        raise ConfigurationError(
            [Problem("environment", None, "OPSMETRICS_BACKUP is not set", "name a folder on another disk")]
        )
    return settings.backup


@dg.asset(
    key=COMPACTION,
    group_name="upkeep",
    description="The loads of months that are over, one file each; every byte of landing is read and checked",
    kinds={"parquet"},
    freshness_policy=WEEKLY,
    pool=WRITER_POOL,
    check_specs=[
        dg.AssetCheckSpec(
            "landing_is_whole", asset=COMPACTION, description="Every file has its checksum, or was repaired"
        )
    ],
)
def compaction(workspace: dg.ResourceParam[Workspace]) -> dg.MaterializeResult:
    """Pack what is old enough, repair what is damaged."""
    done = housekeeping(workspace.context())
    repaired = dg.MetadataValue.text("\n".join(done.repaired))
    return dg.MaterializeResult(
        metadata={"packed": done.packed, "packs": done.packs, "forgotten": done.forgotten, "repaired": repaired},
        check_results=[
            dg.AssetCheckResult(
                check_name="landing_is_whole",
                passed=not done.damaged,
                metadata={"damaged": dg.MetadataValue.text("\n".join(done.damaged))},
            )
        ],
    )


@dg.asset(
    key=BACKUP,
    deps=[COMPACTION],
    group_name="upkeep",
    description="Landing and configuration on another disk",
    kinds={"file"},
    freshness_policy=WEEKLY,
    check_specs=[
        dg.AssetCheckSpec(
            "copies_are_whole", asset=BACKUP, description="Originals and copies have their checksum, or were healed"
        )
    ],
)
def backup(workspace: dg.ResourceParam[Workspace]) -> dg.MaterializeResult:
    """Copy what is new to the backup folder."""
    settings = workspace.settings()
    done = back_up(settings, _folder(settings), datetime.now(tz=UTC))
    held = done.manifest
    return dg.MaterializeResult(
        metadata={
            "name": held.name,
            "files": len(held.files),
            "copied": done.copied,
            "healed": len(done.healed),
            "build_id": held.build_id,
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="copies_are_whole",
                passed=not done.damaged,
                metadata={"damaged": dg.MetadataValue.text("\n".join(done.damaged))},
            )
        ],
    )


@dg.asset(
    key=RESTORE_TEST,
    deps=[BACKUP],
    group_name="upkeep",
    description="The newest backup, restored to a scratch folder, built, and compared with what was published",
    kinds={"json"},
    freshness_policy=WEEKLY,
    check_specs=[
        dg.AssetCheckSpec("restored_scores_are_equal", asset=RESTORE_TEST, description="Every table of scores is equal")
    ],
)
def restored(workspace: dg.ResourceParam[Workspace]) -> dg.MaterializeResult:
    """Restore, build, compare and record."""
    settings = workspace.settings()
    test = restore_test(settings, _folder(settings))
    return dg.MaterializeResult(
        metadata={"id": test.id, "said": test.said, "seconds": test.seconds, "gigabytes": test.data_gb},
        check_results=[
            dg.AssetCheckResult(
                check_name="restored_scores_are_equal", passed=test.result == "ok", metadata={"said": test.said}
            )
        ],
    )


HOUSEKEEPING = [compaction, backup, restored]
