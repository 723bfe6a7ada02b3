-- A family's installed base in a destination for which it holds or held NVEU, in each quarter of the schedule.
-- family: ultimate parent
-- destination: country as which it counts
-- quarter: quarter, such as 2026Q3
-- cap_tpp: what the schedule allows
-- used_tpp: the base: everything dated up to the quarter's last day
-- remaining_tpp: what is left, at least 0
-- status: open, watch, critical, exhausted or over
-- rulebook: id of the rulebook in force, whose figures these are
-- rulebook_digest: its digest
WITH moment AS (SELECT latest_date AS as_of FROM head),
schedule AS (
    SELECT right(parameter, 6) AS quarter, left(right(parameter, 6), 4)::BIGINT * 4 + right(parameter, 1)::BIGINT - 1 AS number,
        value::BIGINT AS cap_tpp
    FROM parameter WHERE starts_with(parameter, 'nveu_installed_base_tpp.')
),
held AS (
    SELECT DISTINCT authorizations.family, country.counted_as AS destination
    FROM authorizations JOIN country ON country.country = authorizations.destination, moment
    WHERE authorizations.basis = 'NVEU' AND authorizations.valid_from <= moment.as_of
),
added AS (
    SELECT parties.family, balance.destination, balance.period, sum(balance.tpp) AS tpp
    FROM balance JOIN parties ON parties.party = balance.consignee
    WHERE balance.account = 'nveu'
    GROUP BY ALL
),
base AS (
    SELECT held.family, held.destination, schedule.quarter, any_value(schedule.cap_tpp) AS cap_tpp,
        tpp_of(coalesce(sum(added.tpp), 0)) AS used_tpp
    FROM held CROSS JOIN schedule
    LEFT JOIN added ON added.family = held.family AND added.destination = held.destination
        AND added.period <= schedule.number
    GROUP BY held.family, held.destination, schedule.quarter
)
SELECT family, destination, quarter, cap_tpp, used_tpp, greatest(cap_tpp - used_tpp, 0) AS remaining_tpp,
    status_of(used_tpp, cap_tpp, figure('status_watch_percent'), figure('status_critical_percent')) AS status,
    rulebook_in_force() AS rulebook, digest_in_force() AS rulebook_digest
FROM base
ORDER BY family, destination, quarter
