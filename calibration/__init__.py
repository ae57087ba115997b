"""Whether scores keep their promise: coverage of intervals, reversals of levels, lead time of real changes.

``python -m calibration`` plays scenarios of the simulator, scores them with the library as it is, and writes
``docs/calibration.md``. Belongs here: what needs both the library and the simulator's truth about practice. Does not
belong here: rules of scores (``opsmetrics.scoring``) and what happens in a scenario (``simulator.scenarios``).
"""
