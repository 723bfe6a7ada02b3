-- A tier-2 country's position against its cap, also with no use; tiers and uplifts as of the latest date recorded.
-- destination: ISO 3166-1 alpha-2
-- name: name
-- cap_tpp: the country cap with the uplift in force
-- used_tpp: what is licensed to it
-- remaining_tpp: what is left, at least 0
-- used_percent: used of cap, rounded down
-- delivered_tpp: what is installed there, whatever the basis
-- cap_h100e: cap in H100 equivalents, for reading
-- used_h100e: used in H100 equivalents
-- remaining_h100e: left in H100 equivalents
-- status: open, watch, critical, exhausted or over
-- rulebook: id of the rulebook in force, whose figures these are
-- rulebook_digest: its digest
WITH moment AS (SELECT latest_date AS as_of FROM head),
place AS (
    SELECT country.country AS destination, country.name FROM country, moment
    WHERE country.country = country.counted_as AND country.tier = 2
        AND moment.as_of BETWEEN country.first_day AND country.last_day
),
uplift AS (
    SELECT counted.counted_as AS destination,
        least(arg_max(given.uplift_percent, (given.valid_from, given.leaf)), figure('uplift_percent_max')) AS percent
    FROM assurance_row AS given
    JOIN (SELECT DISTINCT country, counted_as FROM country) AS counted ON counted.country = given.destination, moment
    WHERE given.valid_from <= moment.as_of
    GROUP BY counted.counted_as
),
used AS (
    SELECT destination, tpp_of(sum(tpp) FILTER (account = 'cap')) AS cap_used,
        tpp_of(sum(tpp) FILTER (account = 'installed')) AS installed
    FROM balance GROUP BY destination
),
held AS (
    SELECT place.destination, place.name,
        CAST(figure('country_cap_tpp') + figure('country_cap_tpp') * coalesce(uplift.percent, 0) // 100 AS BIGINT)
            AS cap_tpp,
        coalesce(used.cap_used, 0) AS used_tpp, coalesce(used.installed, 0) AS delivered_tpp
    FROM place
    LEFT JOIN uplift ON uplift.destination = place.destination
    LEFT JOIN used ON used.destination = place.destination
)
SELECT destination, name, cap_tpp, used_tpp, greatest(cap_tpp - used_tpp, 0) AS remaining_tpp,
    percent_of(used_tpp, cap_tpp) AS used_percent, delivered_tpp,
    h100e(cap_tpp, figure('h100_equivalent_tpp')) AS cap_h100e,
    h100e(used_tpp, figure('h100_equivalent_tpp')) AS used_h100e,
    h100e(greatest(cap_tpp - used_tpp, 0), figure('h100_equivalent_tpp')) AS remaining_h100e,
    status_of(used_tpp, cap_tpp, figure('status_watch_percent'), figure('status_critical_percent')) AS status,
    rulebook_in_force() AS rulebook, digest_in_force() AS rulebook_digest
FROM held
ORDER BY destination
