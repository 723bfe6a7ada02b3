-- The queries of the report. Each can read the views of the ledger, those above it, and `period` (first_day, last_day,
-- today); positions are as of the last day. A page is for reading: it shows the largest records of a country, fewer the
-- more countries there are; the file of records has them all. What a reversal took back is listed with the reversal's
-- reference, and counted nowhere: it never happened.

-- view: taken_back
SELECT provider, under, any_value(reference) AS reversed_by
FROM decisions, period
WHERE kind = 'reversal' AND date <= last_day
GROUP BY provider, under

-- view: happened
SELECT d.sequence, d.date, d.kind, d.outcome, c.destination AS country, d.destination, d.consignee, p.name, d.family,
    d.chip, d.quantity, d.tpp, c.used_tpp, c.delivered_tpp, d.basis, d.limit_id, d.account, d.limit_tpp,
    d.remaining_tpp, d.message, t.reversed_by, d.under, d.provider, d.reference, d.evidence, d.note
FROM decisions AS d
JOIN period ON d.date BETWEEN period.first_day AND period.last_day
JOIN country_changes AS c ON c.sequence = d.sequence
LEFT JOIN parties AS p ON p.party = d.consignee
LEFT JOIN taken_back AS t ON t.provider = d.provider AND t.under = d.reference

-- query: records
SELECT * FROM happened ORDER BY sequence

-- query: countries
WITH ever AS (
    SELECT destination, count(*) AS records FROM country_changes, period WHERE date <= last_day GROUP BY destination
),
during AS (
    SELECT country, count(*) AS records, sum(used_tpp) AS used_tpp,
        count(*) FILTER (reversed_by IS NULL AND kind = 'allocation' AND outcome = 'admitted') AS allocations,
        sum(tpp) FILTER (reversed_by IS NULL AND kind = 'allocation' AND outcome = 'admitted') AS allocated_tpp,
        count(*) FILTER (reversed_by IS NULL AND outcome = 'refused') AS refusals,
        sum(tpp) FILTER (reversed_by IS NULL AND outcome = 'refused') AS refused_tpp,
        count(*) FILTER (reversed_by IS NULL AND kind = 'delivery') AS deliveries,
        sum(tpp) FILTER (reversed_by IS NULL AND kind = 'delivery') AS arrived_tpp,
        count(*) FILTER (reversed_by IS NULL AND outcome = 'breached') AS breaches,
        sum(tpp) FILTER (reversed_by IS NULL AND outcome = 'breached') AS breached_tpp
    FROM happened GROUP BY country
)
SELECT p.destination, p.name, period.last_day AS as_of, p.cap_tpp, p.used_tpp, p.remaining_tpp, p.used_percent,
    p.status, coalesce(during.used_tpp, 0) AS used_in_period_tpp, p.delivered_tpp, p.cap_h100e, p.used_h100e,
    p.remaining_h100e, coalesce(ever.records, 0) AS ever_recorded, coalesce(during.records, 0) AS records,
    coalesce(allocations, 0) AS allocations, coalesce(allocated_tpp, 0) AS allocated_tpp,
    coalesce(refusals, 0) AS refusals, coalesce(refused_tpp, 0) AS refused_tpp,
    coalesce(deliveries, 0) AS deliveries, coalesce(arrived_tpp, 0) AS arrived_tpp,
    coalesce(breaches, 0) AS breaches, coalesce(breached_tpp, 0) AS breached_tpp
FROM country_positions AS p
CROSS JOIN period
LEFT JOIN ever ON ever.destination = p.destination
LEFT JOIN during ON during.country = p.destination
ORDER BY p.used_percent DESC NULLS LAST, p.delivered_tpp DESC, p.destination

-- query: totals
SELECT count(*) AS records,
    count(*) FILTER (reversed_by IS NULL AND kind = 'allocation') AS requests,
    count(*) FILTER (reversed_by IS NULL AND outcome = 'refused') AS refused,
    coalesce(sum(tpp) FILTER (reversed_by IS NULL AND outcome = 'refused'), 0) AS refused_tpp,
    count(*) FILTER (reversed_by IS NULL AND kind <> 'allocation') AS facts,
    count(*) FILTER (reversed_by IS NULL AND outcome = 'breached') AS breached,
    count(*) FILTER (reversed_by IS NULL AND kind = 'delivery') AS deliveries,
    count(*) FILTER (reversed_by IS NULL AND kind = 'delivery' AND outcome = 'breached') AS deliveries_breached,
    count(*) FILTER (reversed_by IS NULL AND evidence IS NULL) AS without_evidence,
    (SELECT count(*) FROM authorizations) AS authorizations
FROM happened

-- view: room
SELECT greatest(2, least(20, 400 // greatest(count(DISTINCT country), 1))) AS most FROM happened

-- query: verdicts
SELECT country, sequence, date, kind, outcome, destination, consignee, name, family, chip, quantity, tpp, basis,
    limit_id, account, limit_tpp, remaining_tpp, message, reversed_by, provider, reference, evidence, note
FROM happened
WHERE outcome <> 'admitted'
QUALIFY row_number() OVER (
    PARTITION BY country, outcome ORDER BY tpp DESC, tpp - coalesce(remaining_tpp, 0) DESC, sequence
) <= (SELECT most FROM room)
ORDER BY country, outcome DESC, tpp DESC, tpp - coalesce(remaining_tpp, 0) DESC, sequence

-- query: largest
WITH sorted AS (
    SELECT CASE kind WHEN 'allocation' THEN 'allocation' WHEN 'delivery' THEN 'delivery' ELSE 'other' END AS sort, *
    FROM happened
)
SELECT country, sort, sequence, date, kind, consignee, name, chip, quantity, tpp, used_tpp, basis, outcome, reversed_by,
    reference, evidence, count(*) OVER (PARTITION BY country, sort) AS of_so_many
FROM sorted
WHERE country IN (SELECT destination FROM country_positions)
QUALIFY row_number() OVER (PARTITION BY country, sort ORDER BY tpp DESC, sequence) <= (SELECT most FROM room)
ORDER BY country, sort, date, sequence

-- query: consignees
WITH summed AS (
    SELECT c.destination AS country, c.consignee, c.family, sum(c.used_tpp) AS used_tpp,
        sum(c.delivered_tpp) AS delivered_tpp
    FROM country_changes AS c
    JOIN period ON c.date <= period.last_day
    WHERE c.destination IN (SELECT destination FROM country_positions)
    GROUP BY ALL
    HAVING sum(c.used_tpp) <> 0 OR sum(c.delivered_tpp) <> 0
)
SELECT s.country, s.consignee, p.name, s.family, f.name AS family_name, s.used_tpp, s.delivered_tpp,
    count(*) OVER (PARTITION BY s.country) AS of_so_many
FROM summed AS s
LEFT JOIN parties AS p ON p.party = s.consignee
LEFT JOIN parties AS f ON f.party = s.family
QUALIFY row_number() OVER (
    PARTITION BY s.country ORDER BY s.used_tpp DESC, s.delivered_tpp DESC, s.consignee, s.family
) <= (SELECT least(5, most + 1) FROM room)
ORDER BY s.country, s.used_tpp DESC, s.delivered_tpp DESC, s.consignee, s.family

-- query: use
-- What is used of each cap from each day on; of very many days each last one of a few.
WITH daily AS (
    SELECT c.destination AS country, c.date, sum(c.used_tpp) AS change
    FROM country_changes AS c
    JOIN period ON c.date <= period.last_day
    WHERE c.used_tpp <> 0 AND c.destination IN (SELECT destination FROM country_positions)
    GROUP BY c.destination, c.date
),
summed AS (
    SELECT country, date, sum(change) OVER (PARTITION BY country ORDER BY date) AS used_tpp,
        date - min(date) OVER (PARTITION BY country) AS days,
        (max(date) OVER (PARTITION BY country) - min(date) OVER (PARTITION BY country)) // 60 + 1 AS step
    FROM daily
)
SELECT country, date, used_tpp FROM summed
QUALIFY row_number() OVER (PARTITION BY country, days // step ORDER BY date DESC) = 1
ORDER BY country, date

-- query: elsewhere
SELECT country AS destination, count(*) AS records,
    coalesce(sum(tpp) FILTER (reversed_by IS NULL AND kind = 'allocation' AND outcome = 'admitted'), 0) AS allocated_tpp,
    coalesce(sum(tpp) FILTER (reversed_by IS NULL AND kind = 'delivery'), 0) AS arrived_tpp,
    count(*) FILTER (reversed_by IS NULL AND outcome = 'refused') AS refusals, count(*) FILTER (reversed_by IS NULL AND outcome = 'breached') AS breaches
FROM happened
WHERE country NOT IN (SELECT destination FROM country_positions)
GROUP BY country
ORDER BY allocated_tpp + arrived_tpp DESC, destination

-- query: reasons
SELECT limit_id, outcome, count(*) AS records, sum(tpp) AS tpp
FROM happened
WHERE outcome <> 'admitted' AND reversed_by IS NULL
GROUP BY limit_id, outcome
ORDER BY outcome DESC, records DESC, limit_id

-- query: uplifts
SELECT destination, uplift_percent, valid_from, citation
FROM assurances, period
WHERE valid_from <= last_day
QUALIFY row_number() OVER (PARTITION BY destination ORDER BY valid_from DESC) = 1
ORDER BY destination

-- query: sources
SELECT evidence, count(*) AS records, sum(tpp) AS tpp, (list(reference ORDER BY tpp DESC, sequence))[:3] AS found,
    count(*) OVER () AS of_so_many
FROM happened
WHERE evidence IS NOT NULL
GROUP BY evidence
ORDER BY sum(tpp) DESC, evidence
LIMIT 60

-- query: filed
SELECT batch, provider, filed_by, recorded_at, file, sha256, records, admitted, refused, breached, rejected,
    duplicates, software_version, count(*) OVER () AS of_so_many
FROM batches
ORDER BY batch DESC
LIMIT 20

-- query: digests
SELECT rulebook_digest, count(*) AS records
FROM decisions, period
WHERE date <= last_day
GROUP BY rulebook_digest
ORDER BY min(sequence)

-- query: notes
SELECT sequence, reference, chip, note
FROM happened
WHERE contains(note, 'assumed') OR contains(note, 'equivalent')
ORDER BY sequence
LIMIT 1000

-- query: repeats
SELECT country AS destination, consignee, any_value(name) AS name, list(reference ORDER BY sequence) AS found
FROM happened
WHERE kind IN ('opening', 'allocation', 'delivery') AND under IS NULL AND reversed_by IS NULL
GROUP BY country, consignee
HAVING count(*) > 1
ORDER BY sum(tpp) DESC, country, consignee
LIMIT 20

-- query: parameters
SELECT parameter, value, unit, valid_from, citation, certainty, sentence FROM rulebook_parameters ORDER BY parameter
