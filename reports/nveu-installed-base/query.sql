-- The base of each quarter is the view's; the quarter of the last day is shown first.

-- view: holders
SELECT DISTINCT authorizations.family, tiers.counted_as AS destination,
    bool_or(period.last_day BETWEEN authorizations.valid_from AND coalesce(authorizations.valid_to, DATE '9999-12-31'))
        AS held
FROM authorizations JOIN country_tiers AS tiers ON tiers.code = authorizations.destination, period
WHERE authorizations.basis = 'NVEU'
GROUP BY authorizations.family, tiers.counted_as

-- query: now
SELECT n.family, parties.name, n.destination, n.quarter, n.cap_tpp, n.used_tpp, n.remaining_tpp,
    percent_of(n.used_tpp, n.cap_tpp) AS used_percent, n.status, coalesce(holders.held, false) AS held
FROM nveu_positions AS n
JOIN period ON n.quarter = year(period.last_day) || 'Q' || quarter(period.last_day)
LEFT JOIN parties ON parties.party = n.family
LEFT JOIN holders ON holders.family = n.family AND holders.destination = n.destination
ORDER BY used_percent DESC NULLS LAST, n.family, n.destination

-- query: schedule
SELECT family, destination, quarter, cap_tpp, used_tpp, remaining_tpp, status
FROM nveu_positions
ORDER BY family, destination, quarter

-- query: authorizations_held
SELECT party, family, destination, valid_from, valid_to, citation
FROM authorizations WHERE basis = 'NVEU'
ORDER BY party, destination, valid_from
