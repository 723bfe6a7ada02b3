-- How far the ledger is: one row.
-- sequence: the last record's, and so how many there are
-- leaves: leaves of the log
-- batch: the last batch, a registration or adoption too
-- latest_date: latest legal date recorded, as of which positions are told
-- rulebook: id of the rulebook in force
-- rulebook_digest: its digest
SELECT sequence, leaf AS leaves, batch, latest_date, rulebook_in_force() AS rulebook,
    digest_in_force() AS rulebook_digest
FROM head
