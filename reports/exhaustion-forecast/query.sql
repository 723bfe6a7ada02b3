-- Whole numbers throughout: a day is reached after left x days // added days; of more than 99,998 days there is none.

-- table: window_quarters
-- The last four quarters that are over by the last day.
SELECT year(first_day) || 'Q' || quarter(first_day) AS quarter, first_day, last_day,
    CAST(last_day - first_day + 1 AS BIGINT) AS days, row_number() OVER (ORDER BY first_day DESC) AS back
FROM (
    SELECT CAST(unnest(generate_series(
            date_trunc('quarter', last_day + INTERVAL 1 DAY) - INTERVAL 12 MONTH,
            date_trunc('quarter', last_day + INTERVAL 1 DAY) - INTERVAL 3 MONTH, INTERVAL 3 MONTH)) AS DATE) AS first_day
    FROM period
) AS starts, LATERAL (SELECT CAST(starts.first_day + INTERVAL 3 MONTH - INTERVAL 1 DAY AS DATE) AS last_day) AS ends

-- table: used_countries
SELECT destination, name, cap_tpp, used_tpp, remaining_tpp, status FROM country_positions WHERE used_tpp <> 0

-- table: use_by_quarter
SELECT quarter, destination, family, coalesce(sum(cap_tpp), 0) AS cap, coalesce(sum(lpp_tpp), 0) AS lpp,
    coalesce(sum(nveu_tpp), 0) AS nveu
FROM quarterly_use WHERE quarter IN (SELECT quarter FROM window_quarters) GROUP BY ALL

-- query: quarters
SELECT w.quarter, c.destination, tpp_of(coalesce(sum(u.cap), 0)) AS added_tpp, w.days
FROM used_countries AS c CROSS JOIN window_quarters AS w
LEFT JOIN use_by_quarter AS u ON u.quarter = w.quarter AND u.destination = c.destination
GROUP BY w.quarter, c.destination, w.days
ORDER BY c.destination, w.quarter

-- query: countries
WITH sums AS (
    SELECT q.destination, tpp_of(sum(q.added_tpp) FILTER (w.back <= 2)) AS added_2,
        sum(w.days) FILTER (w.back <= 2) AS days_2, tpp_of(sum(q.added_tpp)) AS added_4, sum(w.days) AS days_4,
        arg_max(q.added_tpp, q.added_tpp::HUGEINT * 1000 // w.days) AS most,
        arg_max(w.days, q.added_tpp::HUGEINT * 1000 // w.days) AS most_days,
        arg_min(q.added_tpp, q.added_tpp::HUGEINT * 1000 // w.days) AS least,
        arg_min(w.days, q.added_tpp::HUGEINT * 1000 // w.days) AS least_days
    FROM quarters AS q JOIN window_quarters AS w ON w.quarter = q.quarter
    GROUP BY q.destination
),
days AS (
    SELECT c.*, s.*, period.last_day,
        CASE WHEN remaining_tpp = 0 THEN 0 WHEN added_2 > 0 THEN remaining_tpp::HUGEINT * days_2 // added_2 END AS after_2,
        CASE WHEN remaining_tpp = 0 THEN 0 WHEN added_4 > 0 THEN remaining_tpp::HUGEINT * days_4 // added_4 END AS after_4,
        CASE WHEN remaining_tpp = 0 THEN 0 WHEN most > 0 THEN remaining_tpp::HUGEINT * most_days // most END AS soonest,
        CASE WHEN remaining_tpp = 0 THEN 0 WHEN least > 0 THEN remaining_tpp::HUGEINT * least_days // least END AS slowest
    FROM used_countries AS c JOIN sums AS s ON s.destination = c.destination CROSS JOIN period
)
SELECT days.destination, name, cap_tpp, used_tpp, remaining_tpp, status, added_2 AS added_2_tpp, added_4 AS added_4_tpp,
    CASE WHEN after_2 < 99999 THEN CAST(last_day + after_2::INTEGER AS DATE) END AS reached_by_2,
    CASE WHEN after_4 < 99999 THEN CAST(last_day + after_4::INTEGER AS DATE) END AS reached_by_4,
    CASE WHEN soonest < 99999 THEN CAST(last_day + soonest::INTEGER AS DATE) END AS earliest,
    CASE WHEN slowest < 99999 THEN CAST(last_day + slowest::INTEGER AS DATE) END AS latest,
    coalesce(after_2 > horizon.day - last_day, false) AS beyond_horizon
FROM days CROSS JOIN (SELECT value::DATE AS day FROM rulebook_parameters WHERE parameter = 'horizon_end') AS horizon
ORDER BY reached_by_2 NULLS LAST, reached_by_4 NULLS LAST, used_tpp DESC, days.destination

-- query: families
WITH two AS (
    SELECT family, destination, tpp_of(sum(lpp)) AS lpp, tpp_of(sum(nveu)) AS nveu
    FROM use_by_quarter WHERE quarter IN (SELECT quarter FROM window_quarters WHERE back <= 2) GROUP BY ALL
),
span AS (SELECT sum(days) AS days FROM window_quarters WHERE back <= 2),
lpp AS (
    SELECT l.family, 'LPP ' || l.year AS account, l.cap_tpp, l.used_tpp, l.remaining_tpp, l.status,
        coalesce((SELECT tpp_of(sum(two.lpp)) FROM two WHERE two.family = l.family), 0) AS added_2_tpp
    FROM lpp_positions AS l JOIN period ON l.year = year(period.last_day)
),
lpp_days AS (
    SELECT lpp.*, CASE WHEN remaining_tpp = 0 THEN period.last_day WHEN added_2_tpp > 0
        THEN CAST(period.last_day + least(remaining_tpp::HUGEINT * span.days // added_2_tpp, 99999)::INTEGER AS DATE)
        END AS day, make_date(year(period.last_day), 12, 31) AS last
    FROM lpp CROSS JOIN span CROSS JOIN period
),
bases AS (
    SELECT n.*, left(n.quarter, 4)::BIGINT * 4 + right(n.quarter, 1)::BIGINT - 1
            - year(period.last_day) * 4 - quarter(period.last_day) + 1 AS ahead,
        coalesce((SELECT tpp_of(sum(two.nveu)) FROM two
            WHERE two.family = n.family AND two.destination = n.destination), 0) AS added
    FROM nveu_positions AS n CROSS JOIN period
),
projected AS (
    SELECT family, destination, min(make_date(left(quarter, 4)::INTEGER, right(quarter, 1)::INTEGER * 3 - 2, 1)) AS day
    FROM bases WHERE ahead > 0 AND used_tpp::HUGEINT * 2 + added::HUGEINT * ahead > cap_tpp::HUGEINT * 2 GROUP BY ALL
)
SELECT found.family, parties.name, found.account, cap_tpp, used_tpp, remaining_tpp, status, added_2_tpp, reached_by_2
FROM (
    SELECT family, account, cap_tpp, used_tpp, remaining_tpp, status, added_2_tpp,
        CASE WHEN day <= last THEN day END AS reached_by_2
    FROM lpp_days
    UNION ALL
    SELECT bases.family, 'NVEU ' || bases.destination, cap_tpp, used_tpp, remaining_tpp, status, added,
        CASE WHEN remaining_tpp = 0 THEN period.last_day ELSE projected.day END
    FROM bases LEFT JOIN projected ON projected.family = bases.family AND projected.destination = bases.destination
    CROSS JOIN period
    WHERE bases.ahead = 0 AND bases.used_tpp > 0
) AS found
LEFT JOIN parties ON parties.party = found.family
ORDER BY reached_by_2 NULLS LAST, used_tpp DESC, found.family, found.account
LIMIT 1000
