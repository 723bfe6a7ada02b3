-- An admitted allocation under a licence and how far it is drawn down.
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
-- drawn_percent: chips of it that arrived, of all that were allocated, rounded down; without those beyond it
-- days_left: days from the latest date recorded to its last day; less than 0 if that is past, blank if it has none
SELECT allocations.*, percent_of(delivered - beyond, quantity) AS drawn_percent,
    CAST(expires - latest_date AS BIGINT) AS days_left
FROM allocations CROSS JOIN (SELECT latest_date FROM ledger_state) AS moment
WHERE basis = 'LICENSE'
ORDER BY sequence
