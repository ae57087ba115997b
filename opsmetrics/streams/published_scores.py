"""What was published, as a stream of its own: the scores that leadership saw (architecture D2)."""

from opsmetrics.core.declare import Column
from opsmetrics.streams.model import Stream

_AS_OF = Column("as_of", "timestamp", "Instant of evaluation, UTC", required=True)
PUBLISHED_SCORES = Stream(
    "published_scores",
    "One score, area score or metric as it was published",
    (
        Column("team_id", "text", "Team", required=True),
        Column("area_id", "text", "Area; empty for the team score"),
        Column("metric_id", "text", "Metric; empty for scores"),
        _AS_OF,
        Column("grain", "text", "month, tertial or latest", required=True),
        Column("published_on", "date", "Local day of the publication", required=True),
        Column("published_at", "timestamp", "When it was published, UTC", required=True),
        Column("score", "number", "Score or points, 0..100"),
        Column("level", "integer", "Level of a score"),
        Column("status", "text", "Status", required=True),
        Column("numerator", "number", "Numerator of a metric"),
        Column("denominator", "number", "Denominator of a metric"),
        Column("value", "number", "Value of a metric"),
        Column("services", "text", "Digest of the services that the team owned", required=True),
        Column("ruleset_version", "text", "Version of the ruleset", required=True),
        Column("ruleset_digest", "text", "Digest of the ruleset", required=True),
        Column("build_id", "text", "Build behind the snapshot", required=True),
    ),
    ("team_id", "area_id", "metric_id", "as_of", "grain", "published_at"),
    "published_on",
)
