-- A country under a rulebook that was put in force, a row for each span of days, as in country_tiers.
-- adopted_leaf: leaf of the adoption, as in rulebooks
-- code: ISO 3166-1 alpha-2
-- name: name
-- tier: 1, 2 or 3
-- counted_as: country as which it counts
-- first_day: first day of the span
-- last_day: last day of the span
WITH adopted AS (
    SELECT leaf, texts ->> '$."tiers.toml"' AS tiers FROM rulebook_row WHERE digest <> digest_in_force()
),
-- The texts that were adopted are kept as they were written. Only the plain layout is read, tables of keys with a text,
-- a day, a number or a list of codes; a rulebook that is written otherwise is left out, and known_at says so.
plain AS (
    SELECT leaf, regexp_replace(tiers, '(^|\n)[ \t]*#[^\n]*', '\1', 'g') AS tiers
    FROM adopted
    WHERE regexp_full_match(tiers, '([ \t]*(\[\[(tier|alias)\]\]|[a-z_]+[ \t]*=[ \t]*('
        || '"[^"\\\n]*"|[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}|true|\[["A-Z,\s]*\]))?[ \t]*(#[^\n]*)?(\r?\n|$))*')
),
block AS (SELECT leaf, unnest(string_split(tiers, '[[')) AS text FROM plain),
said AS (
    SELECT leaf, starts_with(text, 'alias') AS is_alias,
        try_cast(regexp_extract(text, '\n\s*tier\s*=\s*([0-9]+)', 1) AS INTEGER) AS tier,
        regexp_extract(text, '\n\s*counted_as\s*=\s*"([A-Z]+)"', 1) AS counted_as,
        coalesce(try_cast(regexp_extract(text, '\n\s*from\s*=\s*([0-9-]+)', 1) AS DATE), DATE '0001-01-01') AS first_day,
        coalesce(try_cast(regexp_extract(text, '\n\s*to\s*=\s*([0-9-]+)', 1) AS DATE), DATE '9999-12-31') AS last_day,
        regexp_extract_all(regexp_extract(text, '\n\s*countries\s*=\s*\[([^\]]*)\]', 1), '[A-Z]{2}') AS codes
    FROM block WHERE starts_with(text, 'alias') OR starts_with(text, 'tier')
),
named AS (SELECT leaf, is_alias, tier, counted_as, first_day, last_day, unnest(codes) AS code FROM said),
place AS (
    SELECT plain.leaf, known.country AS code, known.name, coalesce(named.counted_as, known.country) AS counted_as
    FROM plain CROSS JOIN (SELECT DISTINCT country, name FROM country) AS known
    LEFT JOIN named ON named.leaf = plain.leaf AND named.code = known.country AND named.is_alias
),
span AS (
    SELECT DISTINCT place.leaf, place.code, place.name, place.counted_as, unnest([
        DATE '0001-01-01', named.first_day,
        CASE WHEN named.last_day < DATE '9999-12-31' THEN named.last_day + 1 END
    ]) AS first_day
    FROM place
    LEFT JOIN named ON named.leaf = place.leaf AND named.code = place.counted_as AND NOT named.is_alias
)
SELECT span.leaf AS adopted_leaf, span.code, span.name, coalesce(named.tier, 2)::BIGINT AS tier, span.counted_as,
    span.first_day,
    coalesce(lead(span.first_day) OVER (PARTITION BY span.leaf, span.code ORDER BY span.first_day) - 1,
        DATE '9999-12-31')::DATE AS last_day
FROM span
LEFT JOIN named ON named.leaf = span.leaf AND named.code = span.counted_as AND NOT named.is_alias
    AND span.first_day BETWEEN named.first_day AND named.last_day
WHERE span.first_day IS NOT NULL
UNION ALL
SELECT adopted.leaf, country.country, country.name, country.tier, country.counted_as, country.first_day,
    country.last_day
FROM rulebook_row AS adopted CROSS JOIN country
WHERE adopted.digest = digest_in_force()
ORDER BY adopted_leaf, code, first_day
