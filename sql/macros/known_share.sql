-- title = "Share of the items, by denominator, of which the numerator is known; 1 where there is nothing to know"
-- [arguments]
-- numerator = "Numerator of an item; null = not known"
-- denominator = "Denominator of an item"
create or replace macro macros.known_share(numerator, denominator) as coalesce(
    coalesce(sum(denominator) filter (numerator is not null), 0) / nullif(sum(denominator), 0), 1
)
