-- An admitted allocation and what became of it: chips that arrived, that will not be used, and that are still to come.
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
WITH reversed AS (SELECT DISTINCT under_sequence AS sequence FROM decisions WHERE kind = 'reversal'),
drawn AS (
    SELECT under_sequence AS sequence, coalesce(sum(quantity) FILTER (kind = 'delivery'), 0) AS delivered,
        coalesce(sum(fulfilled) FILTER (kind = 'delivery'), 0) AS fulfilled,
        coalesce(sum(quantity) FILTER (kind = 'lapse'), 0) AS lapsed, max(date) FILTER (kind = 'delivery') AS last_delivery
    FROM decisions ANTI JOIN reversed USING (sequence)
    WHERE kind IN ('delivery', 'lapse') AND under_sequence IS NOT NULL
    GROUP BY under_sequence
),
left_over AS (
    SELECT a.*, coalesce(drawn.delivered, 0) AS delivered, coalesce(drawn.fulfilled, 0) AS fulfilled,
        coalesce(drawn.lapsed, 0) AS lapsed, drawn.last_delivery, reversed.sequence IS NOT NULL AS is_reversed,
        CASE WHEN reversed.sequence IS NOT NULL THEN 0
            ELSE a.quantity - coalesce(drawn.fulfilled, 0) - coalesce(drawn.lapsed, 0) END AS outstanding
    FROM (SELECT sequence, provider, reference, date, destination, consignee, family, chip, basis, license_number, expires,
            quantity, tpp, tpp // quantity AS one
        FROM decisions WHERE kind = 'allocation' AND outcome = 'admitted') AS a
    LEFT JOIN drawn ON drawn.sequence = a.sequence
    LEFT JOIN reversed ON reversed.sequence = a.sequence
)
SELECT sequence, provider, reference, date, destination, consignee, family, chip, basis, license_number, expires, quantity,
    CAST(delivered AS BIGINT) AS delivered, CAST(delivered - fulfilled AS BIGINT) AS beyond,
    CAST(lapsed AS BIGINT) AS lapsed, CAST(outstanding AS BIGINT) AS outstanding, tpp AS allocated_tpp,
    tpp_of(delivered * one) AS delivered_tpp, tpp_of((delivered - fulfilled) * one) AS beyond_tpp,
    tpp_of(lapsed * one) AS lapsed_tpp, tpp_of(outstanding * one) AS outstanding_tpp, last_delivery,
    CASE WHEN is_reversed THEN 'reversed' WHEN outstanding = 0 THEN 'complete' WHEN expires < latest_date THEN 'expired'
        ELSE 'open' END AS state
FROM left_over CROSS JOIN (SELECT latest_date FROM ledger_state) AS moment
ORDER BY sequence
