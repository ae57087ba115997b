"""What is fast, measured against a physical limit in one run. Nothing here is asserted in tests.

Belongs here: benchmarks that a person runs (``python -m benchmarks.scores``). Does not belong here: tests.
"""
