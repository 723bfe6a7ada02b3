-- A month, from the one in which the count begins to that of the latest date; after the horizon, if anything happened.
-- month: its first day
-- as_of: its last day, or the latest date recorded if that is before
-- quarter: its quarter, such as 2026Q3
WITH span AS (
    SELECT max(value::DATE) FILTER (parameter = 'counting_start') AS start,
        max(value::DATE) FILTER (parameter = 'horizon_end') AS horizon
    FROM rulebook_parameters WHERE parameter IN ('counting_start', 'horizon_end')
),
spine AS (
    SELECT unnest(generate_series(date_trunc('month', least(start, latest_date))::TIMESTAMP,
        latest_date::TIMESTAMP, INTERVAL 1 MONTH))::DATE AS month, horizon, latest_date
    FROM span CROSS JOIN ledger_state
)
SELECT month, least(last_day(month), latest_date) AS as_of, year(month) || 'Q' || quarter(month) AS quarter
FROM spine
-- One date that was mistyped by a thousand years must not make a series of twelve thousand months.
WHERE month <= horizon OR last_day(month) >= latest_date
    OR month IN (SELECT date_trunc('month', date)::DATE FROM decisions)
ORDER BY month
