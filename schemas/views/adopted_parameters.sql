-- A figure, switch or word of a rulebook that was put in force; of one no longer in force, without schedules and lists.
-- adopted_leaf: leaf of the adoption, as in rulebooks
-- rulebook: the rulebook's id
-- rulebook_digest: its digest
-- parameter: name
-- value: value, as text
WITH adopted AS (
    SELECT leaf, rulebook, digest, texts ->> '$."parameters.toml"' AS parameters FROM rulebook_row
),
-- The texts that were adopted are kept as they were written. Only the plain layout is read, a header a figure and its
-- value on a line: what is written otherwise is left out, and known_at says so.
line AS (
    SELECT leaf, unnest(string_split(parameters, chr(10))) AS text,
        generate_subscripts(string_split(parameters, chr(10)), 1) AS number
    FROM adopted
    WHERE digest <> digest_in_force() AND NOT contains(parameters, '"""') AND NOT contains(parameters, '''''''')
),
read AS (
    SELECT leaf,
        last_value(nullif(regexp_extract(text, '^\s*\[\s*([A-Za-z0-9_.]+)\s*\]', 1), '') IGNORE NULLS)
            OVER (PARTITION BY leaf ORDER BY number) AS parameter,
        regexp_extract(
            text, '^\s*value\s*=\s*("[^"\\]*"|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9_]+|true|false)\s*(#.*)?$', 1
        ) AS value
    FROM line
)
SELECT adopted.leaf AS adopted_leaf, adopted.rulebook, adopted.digest AS rulebook_digest, read.parameter,
    CASE WHEN starts_with(read.value, '"') THEN trim(read.value, '"') ELSE replace(read.value, '_', '') END AS value
FROM read JOIN adopted ON adopted.leaf = read.leaf
WHERE read.value <> ''
UNION ALL
SELECT adopted.leaf, adopted.rulebook, adopted.digest, parameter.parameter, parameter.value
FROM adopted CROSS JOIN parameter
WHERE adopted.digest = digest_in_force()
ORDER BY adopted_leaf, parameter
