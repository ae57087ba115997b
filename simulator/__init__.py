"""A simulated organisation: records as source systems would deliver them, from one seed.

Belongs here: invented records for ``examples/demo`` and the faults planted in them. Imports nothing of ours;
only the demo command, tests and benchmarks import it. Does not belong here: scores, and anything real.
"""
