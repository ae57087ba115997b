"""The meeting's files: the brief of each month that has ended, and reminders of what is new to settle."""

import dagster as dg

from assets.freshness import MONTHLY, REMINDED
from assets.published import SNAPSHOT
from assets.resources import Workspace
from opsmetrics.language.texts import LANGUAGES
from opsmetrics.reports.brief import period_of, publish_briefs, writable_kinds
from opsmetrics.reports.digest import CHAT, LEADERSHIP, announce, digests, tell
from opsmetrics.snapshots.queries.catalogue import organisation
from opsmetrics.snapshots.store import current

BRIEF = dg.AssetKey(["meeting", "brief"])
DIGEST = dg.AssetKey(["meeting", "digest"])


@dg.asset(
    key=BRIEF,
    deps=[SNAPSHOT],
    group_name="meeting",
    description="The brief of the newest month that has ended: HTML, PDF, PPTX and XLSX, Norwegian and English",
    kinds={"pdf"},
    freshness_policy=MONTHLY,
    check_specs=[dg.AssetCheckSpec("all_files_are_there", asset=BRIEF, description="Every format in every language")],
)
def brief(workspace: dg.ResourceParam[Workspace]) -> dg.MaterializeResult:
    """Write the month's brief below ``briefs/`` of the state; the same data give the same files."""
    settings = workspace.settings()
    snapshot = current(settings.snapshots)
    period = period_of(snapshot, None)
    folder = settings.home / "briefs" / period.label
    kinds = writable_kinds()
    paths = publish_briefs(snapshot, period, folder, LANGUAGES, kinds)
    there = [path for path in paths if path.exists() and path.stat().st_size]
    return dg.MaterializeResult(
        metadata={"folder": dg.MetadataValue.path(str(folder)), "files": len(paths), "build_id": snapshot.build_id},
        check_results=[
            dg.AssetCheckResult(check_name="all_files_are_there", passed=len(there) == len(LANGUAGES) * len(kinds))
        ],
    )


@dg.asset(
    key=DIGEST,
    deps=[SNAPSHOT],
    group_name="meeting",
    description="Reminders: a mail file for each team and for leadership where something is new, posted to the webhook",
    kinds={"email"},
    freshness_policy=REMINDED,
    check_specs=[dg.AssetCheckSpec("everybody_was_looked_at", asset=DIGEST, description="Leadership and every team")],
)
def digest(workspace: dg.ResourceParam[Workspace]) -> dg.MaterializeResult:
    """Write and post what is new since the last time; quiet where nothing is."""
    settings = workspace.settings()
    snapshot = current(settings.snapshots)
    language = organisation(snapshot).language
    made = digests(settings, snapshot, language)
    written = tell(settings, made, settings.home / "digests")
    posted = announce(settings, digests(settings, snapshot, language, [LEADERSHIP], CHAT))
    return dg.MaterializeResult(
        metadata={"written": len(written), "posted": posted, "quiet": sum(found.is_quiet for found in made)},
        check_results=[dg.AssetCheckResult(check_name="everybody_was_looked_at", passed=len(made) > 1)],
    )


MEETING = [brief, digest]
