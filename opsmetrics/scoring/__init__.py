"""From values to points, areas, teams, levels and gaps: pure functions, Polars in and out (architecture D5).

Same input, same output, in any row order. Section numbers in this package are those of the scoring method.
Import the module that has what you need: most of them stand on numpy, which a build imports only for its scores.
Does not belong here: values (``sql/metrics``), files, clocks, databases.
"""
