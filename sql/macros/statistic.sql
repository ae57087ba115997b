-- title = "The columns that a diagnostic's table ends with, for a number without interval; spread it with unnest(...)"
-- [arguments]
-- statistic = "Which number of the diagnostic this is, such as p50 or share"
-- value = "The number, in the diagnostic's unit"
-- sample_size = "Items behind it"
-- not_known = "Items left out because nobody knows whether they belong, or how they went; null = not counted"
create or replace macro macros.statistic(statistic, value, sample_size, not_known := null) as {
    'statistic': statistic,
    'value': value,
    'sample_size': sample_size,
    'low': null::double,
    'high': null::double,
    'not_known': not_known::bigint
}
