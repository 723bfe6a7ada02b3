-- What a record adds to an account; a record has a row for each account that it changes, and none if it was refused.
-- sequence: place of the record in the ledger
-- batch: the import that recorded it
-- date: legal date of the event
-- account: cap, lpp, nveu, committed, installed or pending
-- consignee: party that will own the chips
-- family: its ultimate parent when the record was decided; of the family as it stands, see parties
-- destination: country as which the record's destination counts
-- period: year of an LPP account, such as 2026; first quarter of an NVEU base, such as 2026Q3; blank of others
-- tpp: what it adds; less than 0 if it takes away
-- provider: who submitted it
-- kind: opening, allocation, delivery, lapse, attrition or reversal
-- chip: chip id
-- basis: authorization as determined, blank if none
WITH counted AS (
    SELECT sequence, 'cap' AS account, NULL AS period, cap_tpp AS tpp FROM entry WHERE cap_tpp <> 0
    UNION ALL
    SELECT sequence, 'lpp', lpp_year::VARCHAR, lpp_tpp FROM entry WHERE lpp_tpp <> 0
    UNION ALL
    SELECT sequence, 'lpp', lpp_from_year::VARCHAR, -lpp_from_tpp FROM entry WHERE lpp_from_tpp <> 0
    UNION ALL
    SELECT sequence, 'nveu', nveu_quarter // 4 || 'Q' || nveu_quarter % 4 + 1, nveu_tpp FROM entry WHERE nveu_tpp <> 0
    UNION ALL
    SELECT sequence, 'committed', NULL, committed_tpp FROM entry WHERE committed_tpp <> 0
    UNION ALL
    SELECT sequence, 'installed', NULL, installed_tpp FROM entry WHERE installed_tpp <> 0
    UNION ALL
    SELECT sequence, 'pending', NULL, pending_tpp FROM entry WHERE pending_tpp <> 0
)
SELECT e.sequence, e.batch, e.date, counted.account, e.consignee, e.family, e.counted_destination AS destination,
    counted.period, counted.tpp, e.provider, e.kind, e.chip, e.basis
FROM counted JOIN entry AS e ON e.sequence = counted.sequence
ORDER BY e.sequence, counted.account, counted.period
