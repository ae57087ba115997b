-- title = "The columns that an organisation fact's table ends with, from its items; spread it with unnest(...)"
-- [arguments]
-- is_in_order = "1 for a thing that is in order, else 0; null = not known, and left out"
create or replace macro macros.share_in_order(is_in_order) as {
    'numerator': sum(is_in_order)::double,
    'denominator': count(is_in_order)::double,
    'value': avg(is_in_order),
    'not_known': count(*) - count(is_in_order)
}
