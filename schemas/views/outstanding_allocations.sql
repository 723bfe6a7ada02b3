-- An allocation under which chips are still to come, whatever its basis, and for how long they have been.
-- sequence: place in the ledger
-- provider: who submitted it
-- reference: the provider's own identifier
-- date: legal date
-- destination: country, ISO 3166-1 alpha-2, as given
-- consignee: party that will own the chips
-- family: its ultimate parent when the record was decided
-- chip: chip id
-- basis: authorization as determined
-- license_number: the licence's number
-- expires: the licence's last day
-- quantity: chips allocated
-- delivered: chips that arrived under it, those beyond it too
-- beyond: chips that arrived though none were outstanding any more
-- lapsed: chips that will not be used
-- outstanding: chips still to come: 0 if the allocation was taken back
-- allocated_tpp: TPP of what was allocated
-- delivered_tpp: TPP of what arrived
-- beyond_tpp: TPP of what arrived beyond it
-- lapsed_tpp: TPP of what will not be used
-- outstanding_tpp: TPP of what is still to come
-- last_delivery: legal date of the latest delivery under it
-- state: open, complete, expired (chips outstanding after its last day, as of the latest date recorded) or reversed
-- age_days: days from its date to the latest date recorded
-- age: up to 90 days, 91 to 180 days, 181 to 365 days or over 365 days
-- idle_days: days from the latest delivery under it, or else its date, to the latest date recorded
-- days_left: days from the latest date recorded to its last day; less than 0 if that is past, blank if it has none
SELECT allocations.*, CAST(latest_date - date AS BIGINT) AS age_days,
    CASE WHEN latest_date - date <= 90 THEN 'up to 90 days' WHEN latest_date - date <= 180 THEN '91 to 180 days'
        WHEN latest_date - date <= 365 THEN '181 to 365 days' ELSE 'over 365 days' END AS age,
    CAST(latest_date - coalesce(last_delivery, date) AS BIGINT) AS idle_days,
    CAST(expires - latest_date AS BIGINT) AS days_left
FROM allocations CROSS JOIN (SELECT latest_date FROM ledger_state) AS moment
WHERE outstanding > 0
ORDER BY age_days DESC, sequence
