-- A country's position at the end of a month: what as_of gives for that day. Tier-2 countries where something is or was.
-- month: its first day
-- as_of: its last day, or the latest date recorded if that is before
-- destination: ISO 3166-1 alpha-2
-- name: name
-- added_tpp: what the month added to the use of the cap; the first month has what is dated before it, too
-- used_tpp: what is licensed to it by then
-- cap_tpp: the country cap with the uplift in force that day, by the rulebook in force now
-- remaining_tpp: what is left, at least 0
-- used_percent: used of cap, rounded down
-- delivered_tpp: what is installed there by then, whatever the basis
-- status: open, watch, critical, exhausted or over
-- quarter: its quarter, such as 2026Q3
WITH figures AS (
    SELECT max(value::BIGINT) FILTER (parameter = 'country_cap_tpp') AS cap,
        max(value::BIGINT) FILTER (parameter = 'uplift_percent_max') AS uplift,
        max(value::BIGINT) FILTER (parameter = 'status_watch_percent') AS watch,
        max(value::BIGINT) FILTER (parameter = 'status_critical_percent') AS critical
    FROM rulebook_parameters
    WHERE parameter IN ('country_cap_tpp', 'uplift_percent_max', 'status_watch_percent', 'status_critical_percent')
),
change AS (
    SELECT destination, greatest(date_trunc('month', date)::DATE, (SELECT min(month) FROM months)) AS month,
        coalesce(sum(tpp) FILTER (account = 'cap'), 0) AS used, coalesce(sum(tpp) FILTER (account = 'installed'), 0) AS installed
    FROM contributions
    WHERE account IN ('cap', 'installed') AND date <= (SELECT latest_date FROM ledger_state)
    GROUP BY ALL
),
series AS (
    SELECT months.month, months.as_of, months.quarter, place.destination, coalesce(change.used, 0) AS added,
        sum(coalesce(change.used, 0)) OVER so_far AS used, sum(coalesce(change.installed, 0)) OVER so_far AS installed
    FROM months CROSS JOIN (SELECT DISTINCT destination FROM change) AS place
    LEFT JOIN change ON change.month = months.month AND change.destination = place.destination
    WINDOW so_far AS (PARTITION BY place.destination ORDER BY months.month)
),
uplift AS (
    SELECT months.month, counted.counted_as AS destination,
        arg_max(given.uplift_percent, (given.valid_from, given.leaf)) AS percent
    FROM months
    JOIN assurance_history AS given ON given.valid_from <= months.as_of
    JOIN (SELECT DISTINCT code, counted_as FROM country_tiers) AS counted ON counted.code = given.destination
    GROUP BY ALL
),
held AS (
    SELECT series.month, series.as_of, series.quarter, series.destination, country_tiers.name, tpp_of(series.added) AS added_tpp,
        tpp_of(series.used) AS used_tpp, tpp_of(series.installed) AS delivered_tpp, figures.watch, figures.critical,
        CAST(figures.cap + figures.cap * least(coalesce(uplift.percent, 0), figures.uplift) // 100 AS BIGINT) AS cap_tpp
    FROM series CROSS JOIN figures
    JOIN country_tiers ON country_tiers.code = series.destination AND country_tiers.code = country_tiers.counted_as
        AND country_tiers.tier = 2 AND series.as_of BETWEEN country_tiers.first_day AND country_tiers.last_day
    LEFT JOIN uplift ON uplift.month = series.month AND uplift.destination = series.destination
)
SELECT month, as_of, destination, name, added_tpp, used_tpp, cap_tpp,
    greatest(cap_tpp - used_tpp, 0) AS remaining_tpp, percent_of(used_tpp, cap_tpp) AS used_percent, delivered_tpp,
    status_of(used_tpp, cap_tpp, watch, critical) AS status, quarter
FROM held
ORDER BY month, destination
