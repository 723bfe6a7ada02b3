-- The validity where no last day is stated is the rulebook's.

-- query: licences
SELECT sequence, provider, reference, date, destination, consignee, family, chip, license_number,
    coalesce(expires, CAST(date + to_months(validity.months) AS DATE)) AS last_day, expires IS NOT NULL AS is_stated,
    CAST(coalesce(expires, CAST(date + to_months(validity.months) AS DATE)) - period.last_day AS BIGINT) AS days_left,
    CAST(period.last_day - date AS BIGINT) AS age_days, quantity, delivered, lapsed, outstanding, outstanding_tpp
FROM licence_drawdown CROSS JOIN period CROSS JOIN (
    SELECT value::INTEGER AS months FROM rulebook_parameters WHERE parameter = 'licence_validity_months') AS validity
WHERE outstanding > 0
ORDER BY sequence

-- table: still_open
FROM licences

-- query: by_age
WITH aged AS (
    SELECT CASE WHEN age_days <= 90 THEN 1 WHEN age_days <= 180 THEN 2 WHEN age_days <= 365 THEN 3 ELSE 4 END AS class, *
    FROM still_open
)
SELECT ['up to 90 days', '91 to 180 days', '181 to 365 days', 'over 365 days'][class] AS age, count(*) AS licences,
    tpp_of(sum(aged.outstanding)) AS outstanding, tpp_of(sum(aged.outstanding_tpp)) AS outstanding_tpp
FROM aged GROUP BY class ORDER BY class

-- query: by_country
SELECT destination, count(*) AS licences, tpp_of(sum(s.outstanding_tpp)) AS outstanding_tpp,
    count(*) FILTER (days_left < 0) AS expired,
    coalesce(tpp_of(sum(s.outstanding_tpp) FILTER (days_left < 0)), 0) AS expired_tpp,
    count(*) FILTER (days_left BETWEEN 0 AND soon_days) AS soon,
    coalesce(tpp_of(sum(s.outstanding_tpp) FILTER (days_left BETWEEN 0 AND soon_days)), 0) AS soon_tpp
FROM still_open AS s CROSS JOIN report_parameters
GROUP BY destination ORDER BY sum(s.outstanding_tpp) DESC, destination

-- query: expiring
SELECT last_day, days_left, is_stated, destination, consignee, license_number, reference, outstanding, outstanding_tpp,
    count(*) OVER () AS of_so_many
FROM still_open CROSS JOIN report_parameters
WHERE days_left <= soon_days
ORDER BY last_day, outstanding_tpp DESC, sequence LIMIT 500

-- query: by_family
SELECT s.family, any_value(parties.name) AS name, count(*) AS licences,
    tpp_of(sum(s.outstanding_tpp)) AS outstanding_tpp, min(date) AS oldest, count(*) OVER () AS of_so_many
FROM still_open AS s LEFT JOIN parties ON parties.party = s.family
GROUP BY s.family ORDER BY sum(s.outstanding_tpp) DESC, s.family LIMIT 50
