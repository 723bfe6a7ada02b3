-- A country under the rulebook in force, a row for each span of days with one tier.
-- code: ISO 3166-1 alpha-2
-- name: name
-- tier: 1, 2 or 3
-- counted_as: country as which it counts
-- first_day: first day of the tier
-- last_day: last day of the tier; 9999-12-31 if none is known
SELECT country AS code, name, tier, counted_as, first_day, last_day FROM country ORDER BY code, first_day
