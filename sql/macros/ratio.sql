-- title = "Sum of numerators, sum of denominators and the metric's value; spread it with unnest(...)"
-- [arguments]
-- numerator = "Numerator of an item"
-- denominator = "Denominator of an item; where all of them are 0 the value is null"
create or replace macro macros.ratio(numerator, denominator) as {
    'numerator': sum(numerator),
    'denominator': sum(denominator),
    'value': sum(numerator) / nullif(sum(denominator), 0)
}
