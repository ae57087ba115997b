"""Maintenance: updates, repositories, components and planned tasks."""

from __future__ import annotations

from opsmetrics.core.declare import Column, at, count, deadline, due, flag, id_, or_none, text
from opsmetrics.streams.model import REPOSITORY, SERVICE, Stream, in_order, part_of

# Why nobody can date the updates of a package: no registry is configured for its ecosystem, none knows it, one refuses
# to tell, no file says which version is in use, the registry does not list that one, it gives no dates, or false ones.
UNDATED = ("no_registry", "not_public", "refused", "no_version", "not_released", "no_dates", "wrong_dates")

STREAMS: tuple[Stream, ...] = (
    Stream(
        "update_merges",
        "One merged change by a dependency update bot",
        (
            REPOSITORY,
            id_("commit_id", "Commit on the default branch"),
            at("merged_at", "When it was merged", required=True),
            text("bot", "Update bot", required=True),
            flag(
                "is_dependency_update",
                "It changes versions (not a deploy under the bot's name)",
                required=True,
            ),
            flag("is_security", "Marked as a security update"),
            count("package_count", "Distinct packages changed; empty where its form is not understood"),
            text("highest_update_type", "major > minor > patch > ..."),
            count("human_coauthor_count", "People who also committed to it"),
            flag("is_offhours", "Merged outside working hours"),
            text("unread_form", "Form of a title that is not understood, without names; empty where it is"),
        ),
        ("repository", "commit_id"),
        "merged_at",
    ),
    Stream(
        "dependency_updates",
        "One package version change in one commit, by bots and people",
        (
            REPOSITORY,
            id_("commit_id", "Commit on the default branch"),
            at("merged_at", "When it was merged", required=True),
            text("actor_kind", "renovate, dependabot, ci_bot, other_bot, ai_agent or human", required=True),
            text("ecosystem", "Package ecosystem"),
            text("package", "Package"),
            text("from_version", "Version before"),
            text("to_version", "Version after"),
            text("from_digest", "Digest before"),
            text("to_digest", "Digest after"),
            text("update_type", "major, minor, patch, prerelease, digest, pin, ..."),
            text("direction", "up, down, same or unknown"),
            at("released_at", "When the new version was released, where known"),
            Column("lag_days", "number", "Release to merge, days, where known"),
        ),
        (
            "repository",
            "commit_id",
            "ecosystem",
            "package",
            "from_version",
            "to_version",
            "from_digest",
            "to_digest",
        ),
        "merged_at",
    ),
    Stream(
        "commits_daily",
        "Commits of one repository, day and kind of actor",
        (
            REPOSITORY,
            Column("committed_on", "date", "UTC day of the commits", required=True),
            text("actor_kind", "renovate, dependabot, ci_bot, other_bot, ai_agent or human", required=True),
            count("commits_first_parent", "Commits on the default branch's first-parent line"),
            count("commits_all", "All commits reachable from the default branch"),
        ),
        ("repository", "committed_on", "actor_kind"),
        "committed_on",
        rules=part_of("commits_first_parent", "commits_all"),
    ),
    Stream(
        "update_episodes",
        "One lag episode: from a newer version being available until the repository is on the newest; or one look at a "
        "package of which nobody can tell whether an update waits",
        (
            id_("episode_id", "Id"),
            REPOSITORY,
            text("package", "Package"),
            due(
                "available_at",
                "Release time plus the repository's minimum release age; where nobody knows, when it was looked at",
                required=True,
            ),
            or_none(at("applied_at", "When the repository was on the newest version of that line")),
            or_none(at("dismissed_at", "When it was dismissed with reason and approver")),
            or_none(
                text(
                    "unknown_because",
                    "Why nobody can tell whether an update of the package waits; null = available_at is known",
                    one_of=UNDATED,
                )
            ),
        ),
        ("episode_id",),
        "available_at",
        repull_days=180,
        ends=("applied_at", "dismissed_at"),
    ),
    Stream(
        "dependency_states",
        "One dependency of one repository on one day: when its installed and its newest version were released",
        (
            REPOSITORY,
            id_("package", "Package"),
            Column("observed_on", "date", "Day of the observation", required=True),
            Column("installed_released_on", "date", "Release day of the installed version"),
            Column("newest_released_on", "date", "Release day of the newest version"),
        ),
        ("repository", "package", "observed_on"),
        "observed_on",
        expected_hours=24 * 31,
    ),
    Stream(
        "repository_states",
        "State of one repository on one day",
        (
            REPOSITORY,
            Column("observed_on", "date", "Day of the observation", required=True),
            Column("last_activity_on", "date", "Last commit or deploy"),
            flag("is_bot_enabled", "An update bot is enabled; empty where only the organisation's settings could tell"),
            flag("is_bot_config_valid", "Its configuration is valid"),
            or_none(at("last_bot_success_at", "Last successful run of the bot")),
            count("unmanaged_count", "Detected package managers that the bot ignores"),
        ),
        ("repository", "observed_on"),
        "observed_on",
    ),
    Stream(
        "component_states",
        "One component that a service runs on, on one day: runtime, base image, database, cluster, framework",
        (
            id_("component_id", "Component"),
            SERVICE,
            text(
                "kind",
                "Kind",
                required=True,
                one_of=("runtime", "base_image", "database", "kubernetes", "framework"),
            ),
            or_none(text("product", "Product, as in eol_dates; null = it has no known one")),
            or_none(text("cycle", "Release cycle, as in eol_dates; null = it has no known one")),
            Column("observed_on", "date", "Day of the observation", required=True),
            Column("first_seen_on", "date", "First day it was seen"),
        ),
        ("component_id", "observed_on"),
        "observed_on",
        expected_hours=24 * 7,
        rules=in_order("first_seen_on", "observed_on"),
    ),
    Stream(
        "eol_dates",
        "One release cycle of one product and when its maker stops supporting it",
        (
            id_("product", "Product"),
            id_("cycle", "Release cycle"),
            Column("released_on", "date", "Release day", required=True, is_plan=True),
            or_none(Column("eol_on", "date", "First day without support; null = none announced", is_plan=True)),
            flag("has_ended", "Support has ended; without a day nobody says since when"),
        ),
        ("product", "cycle"),
        None,
        expected_hours=24 * 31,
        rules=in_order("released_on", "eol_on"),
    ),
    Stream(
        "maintenance_tasks",
        "One planned maintenance task",
        (
            id_("task_id", "Id"),
            id_("team_id", "Team that does it"),
            deadline("first_due_at", "First due instant; later ones change nothing", required=True),
            or_none(at("completed_at", "When it was done")),
            flag("is_cancelled_with_approval", "Cancelled, with approver"),
        ),
        ("task_id",),
        None,
        expected_hours=24 * 31,
    ),
)
