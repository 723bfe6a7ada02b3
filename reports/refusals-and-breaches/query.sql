-- Everything is counted of one table: the refusals and breaches dated in the period.

-- table: found
SELECT d.sequence, d.batch, d.date, d.kind, d.outcome, d.destination, d.consignee, d.family, d.chip, d.quantity, d.tpp,
    d.basis, d.limit_id, d.account, d.limit_tpp, d.remaining_tpp, d.message, d.provider, d.reference, d.evidence,
    back.sequence IS NOT NULL AS taken_back, d.rulebook_digest
FROM decisions AS d
JOIN period ON d.date BETWEEN period.first_day AND period.last_day
LEFT JOIN (SELECT DISTINCT under_sequence AS sequence FROM decisions WHERE kind = 'reversal') AS back
    ON back.sequence = d.sequence
WHERE d.outcome IN ('refused', 'breached')

-- query: by_limit
SELECT limit_id, outcome, count(*) FILTER (NOT taken_back) AS records,
    count(DISTINCT family) FILTER (NOT taken_back) AS families,
    coalesce(tpp_of(sum(tpp) FILTER (NOT taken_back)), 0) AS tpp,
    coalesce(max(tpp) FILTER (NOT taken_back), 0) AS largest_tpp, count(*) FILTER (taken_back) AS taken_back
FROM found GROUP BY limit_id, outcome ORDER BY outcome DESC, records DESC, limit_id

-- query: by_country
SELECT destination, outcome, count(*) AS records, tpp_of(sum(found.tpp)) AS tpp
FROM found WHERE NOT taken_back GROUP BY destination, outcome ORDER BY sum(found.tpp) DESC, destination, outcome

-- query: by_family
SELECT found.family, any_value(parties.name) AS name, outcome, count(*) AS records, tpp_of(sum(found.tpp)) AS tpp,
    count(*) OVER () AS of_so_many
FROM found LEFT JOIN parties ON parties.party = found.family
WHERE NOT taken_back GROUP BY found.family, outcome ORDER BY sum(found.tpp) DESC, found.family, outcome LIMIT 50

-- query: by_month
SELECT date_trunc('month', date)::DATE AS month, count(*) FILTER (outcome = 'refused') AS refused,
    coalesce(tpp_of(sum(tpp) FILTER (outcome = 'refused')), 0) AS refused_tpp,
    count(*) FILTER (outcome = 'breached') AS breached,
    coalesce(tpp_of(sum(tpp) FILTER (outcome = 'breached')), 0) AS breached_tpp
FROM found WHERE NOT taken_back GROUP BY month ORDER BY month

-- query: largest
SELECT sequence, date, outcome, destination, consignee, tpp, limit_id, remaining_tpp, message, reference, taken_back,
    count(*) OVER () AS of_so_many
FROM found ORDER BY tpp DESC, sequence LIMIT 100

-- query: records
FROM found ORDER BY sequence
