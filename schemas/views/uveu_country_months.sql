-- A UVEU family's share in a destination outside tier 1 at the end of a month, as uveu_country_shares would have it.
-- month: its first day
-- as_of: its last day, or the latest date recorded if that is before
-- family: ultimate parent, by the register as it stands
-- destination: country as which it counts
-- tpp: what it has committed there by then
-- percent: of everything installed and what is pending there, rounded down; blank of nothing
-- remaining_tpp: what may still be added there, the whole growing along
-- status: open, watch, critical, exhausted or over
WITH figures AS (
    SELECT max(value::BIGINT) FILTER (parameter = 'uveu_single_country_percent') AS most,
        max(value::BIGINT) FILTER (parameter = 'status_watch_percent') AS watch,
        max(value::BIGINT) FILTER (parameter = 'status_critical_percent') AS critical
    FROM rulebook_parameters
    WHERE parameter IN ('uveu_single_country_percent', 'status_watch_percent', 'status_critical_percent')
),
held AS (
    SELECT DISTINCT months.month, months.as_of, authorizations.family
    FROM months
    JOIN authorizations ON authorizations.basis = 'UVEU' AND months.as_of
        BETWEEN authorizations.valid_from AND coalesce(authorizations.valid_to, DATE '9999-12-31')
    JOIN parties ON parties.party = authorizations.family
    JOIN country_tiers ON country_tiers.code = parties.headquarters AND country_tiers.tier = 1
        AND months.as_of BETWEEN country_tiers.first_day AND country_tiers.last_day
),
change AS (
    SELECT parties.family, counted.destination,
        greatest(date_trunc('month', counted.date)::DATE, (SELECT min(month) FROM months)) AS month,
        coalesce(sum(tpp) FILTER (account = 'committed'), 0) AS committed,
        coalesce(sum(tpp) FILTER (account = 'installed'), 0) AS installed,
        coalesce(sum(tpp) FILTER (account = 'pending'), 0) AS pending
    FROM contributions AS counted
    JOIN parties ON parties.party = counted.consignee
    WHERE counted.account IN ('committed', 'installed', 'pending')
        AND counted.date <= (SELECT latest_date FROM ledger_state)
        AND parties.family IN (SELECT family FROM held)
    GROUP BY ALL
),
series AS (
    SELECT months.month, place.family, place.destination,
        sum(coalesce(change.committed, 0)) OVER so_far AS committed,
        sum(coalesce(change.installed, 0)) OVER so_far AS installed,
        sum(coalesce(change.pending, 0)) OVER so_far AS pending
    FROM months CROSS JOIN (SELECT DISTINCT family, destination FROM change) AS place
    LEFT JOIN change ON change.month = months.month AND change.family = place.family
        AND change.destination = place.destination
    WINDOW so_far AS (PARTITION BY place.family, place.destination ORDER BY months.month)
),
shares AS (
    SELECT month, family, destination, committed,
        pending + sum(installed) OVER (PARTITION BY month, family) AS whole
    FROM series
)
SELECT held.month, held.as_of, held.family, shares.destination, tpp_of(committed) AS tpp,
    percent_of(committed, whole) AS percent, share_left(committed, whole, figures.most) AS remaining_tpp,
    share_status(committed, whole, figures.most, figures.watch, figures.critical) AS status
FROM held CROSS JOIN figures
JOIN shares ON shares.month = held.month AND shares.family = held.family
JOIN country_tiers ON country_tiers.code = shares.destination AND country_tiers.tier <> 1
    AND held.as_of BETWEEN country_tiers.first_day AND country_tiers.last_day
WHERE committed > 0
ORDER BY held.month, held.family, shares.destination
