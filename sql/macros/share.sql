-- title = "The columns that a metric's table ends with, from its items; spread it with unnest(...)"
-- [arguments]
-- numerator = """\
--     Numerator of an item; null = not known: the item is in neither numerator nor denominator and lowers \
--     completeness"""
-- denominator = "Denominator of an item; where all of them are 0 the value is null"
-- completeness = "Share of the window for which the sources delivered, the same for all items"
create or replace macro macros.share(numerator, denominator, completeness) as struct_concat(
    macros.ratio(numerator, case when numerator is not null then denominator end),
    {
        'sample_size': count(numerator),
        'completeness': any_value(completeness) * macros.known_share(numerator, denominator)
    }
)
