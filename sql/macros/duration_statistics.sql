-- title = """\
--     Median with a 95 % interval and ninth decile of durations, as rows of a diagnostic; spread them with \
--     unnest(...)"""
-- [arguments]
-- durations = "Durations in ascending order; infinity is one that has not ended"
-- not_known = "Items of which the duration is not known"
create or replace macro macros.duration_statistics(durations, not_known) as [
    {
        'statistic': 'p50',
        'value': macros.finite(list_aggregate(durations, 'quantile_cont', 0.5)),
        'sample_size': len(durations),
        'low': macros.finite(durations[(
            select low_rank from ref.median_ranks where sample_size = len(durations)
        )]),
        'high': macros.finite(durations[(
            select high_rank from ref.median_ranks where sample_size = len(durations)
        )]),
        'not_known': not_known::bigint
    },
    {
        'statistic': 'p90',
        'value': macros.finite(list_aggregate(durations, 'quantile_cont', 0.9)),
        'sample_size': len(durations),
        'low': null,
        'high': null,
        'not_known': not_known::bigint
    }
]
