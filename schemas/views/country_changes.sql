-- What each record changes at the country for which it counts.
-- sequence: place of the record in the ledger
-- date: legal date of the event
-- destination: country as which the record's destination counts
-- consignee: party that will own the chips
-- family: its ultimate parent when the record was decided
-- used_tpp: what it adds to the use of the country's cap; less than 0 if it gives back, 0 if it leaves the cap alone
-- delivered_tpp: what it adds to the chips installed there, whatever the basis; less than 0 if they are gone
SELECT sequence, date, counted_destination AS destination, consignee, family, cap_tpp AS used_tpp,
    installed_tpp AS delivered_tpp
FROM entry
ORDER BY sequence
