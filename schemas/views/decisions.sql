-- Every recorded record with its decision.
-- sequence: place in the ledger, from 1, no gaps
-- batch: the import that recorded it
-- provider: who submitted it
-- reference: the provider's own identifier
-- kind: opening, allocation, delivery, lapse, attrition or reversal
-- date: legal date of the event
-- recorded_at: instant of recording, UTC
-- destination: country, ISO 3166-1 alpha-2, as given
-- consignee: party that will own the chips
-- family: its ultimate parent when the record was decided
-- chip: chip id
-- quantity: chips; of a reversal, those of the record taken back
-- tpp: total processing performance, never signed
-- h100e: the same in H100 equivalents, for reading
-- basis: authorization as determined, blank if none
-- outcome: admitted, refused or breached
-- limit_id: the limit that spoke, blank if none was tested
-- account: the account that spoke
-- remaining_tpp: what that limit leaves: after an admitted or breached record, before a refused one
-- limit_tpp: the most that it allows
-- message: one sentence for a person
-- under: reference of the record that this one draws on or takes back
-- license_number: the licence's number
-- expires: the licence's last day
-- exporter: who exports
-- site: where the chips stand; the cloud region if only that was given
-- evidence: what shows it
-- note: remark; of a reversal, why
-- rulebook_digest: digest of the rulebook under which it was decided
-- leaf: place of its leaf in the log
-- under_sequence: sequence of that record
-- fulfilled: of a delivery, chips that its allocation had outstanding; 0 of others
SELECT
    e.sequence, e.batch, e.provider, e.reference, e.kind, e.date, batch.recorded_at, e.destination, e.consignee,
    e.family, e.chip, e.quantity, e.tpp, h100e(e.tpp, t.h100_equivalent_tpp) AS h100e, e.basis, e.outcome,
    e.limit_id, e.account, e.remaining_tpp, e.limit_tpp,
    decision_message(
        t.template, e.kind, e.quantity, e.chip, e.tpp, e.destination, e.consignee, e.basis, e.account, e.remaining_tpp,
        e.limit_tpp, t.citation, t.h100_equivalent_tpp
    ) AS message,
    e.under, e.license_number, e.expires, e.exporter,
    coalesce(e.site, CASE WHEN contains(e.stated_destination, ':') THEN e.stated_destination END) AS site,
    e.evidence, e.note, batch.rulebook_digest, e.leaf, e.under_sequence, e.fulfilled
FROM entry AS e
JOIN batch ON batch.batch = e.batch
LEFT JOIN limit_text AS t
    ON t.rulebook_digest = batch.rulebook_digest AND t.limit_id = coalesce(e.limit_id, '') AND t.outcome = e.outcome
ORDER BY e.sequence
