"""What the simulated organisation's numbers must be, by plain arithmetic over its records (method, section 2).

Written apart from the SQL and from ``opsmetrics`` (it imports neither), with loops instead of joins, so that the two
can be wrong in different ways only. Belongs here: expected values and scores. Does not belong here: the records.
"""

from simulator.truth.scores import Expected, expected
from simulator.truth.setting import Value

__all__ = ["Expected", "Value", "expected"]
