-- An import: who filed which file, and what became of it.
-- batch: number of the batch; registrations and adoptions are batches too, and not shown here
-- provider: who submitted the records
-- filed_by: who ran the command
-- recorded_at: instant of recording, UTC
-- file: names of its files
-- sha256: SHA-256 of their bytes, in the same order
-- records: rows of its files
-- admitted: records admitted
-- refused: records refused
-- breached: records breached
-- rejected: rows rejected, and so not recorded
-- duplicates: rows that repeat an earlier record
-- rulebook_digest: digest of the rulebook in force
-- software_version: version of quotaledger
SELECT b.batch, b.provider, b.filed_by, b.recorded_at, f.file, f.sha256, b.records, b.admitted, b.refused, b.breached,
    b.rejected, b.duplicates, b.rulebook_digest, b.software_version
FROM batch AS b
LEFT JOIN (
    SELECT batch, string_agg(file, ', ' ORDER BY number) AS file, string_agg(sha256, ', ' ORDER BY number) AS sha256
    FROM batch_file GROUP BY batch
) AS f ON f.batch = b.batch
WHERE b.kind = 'import'
ORDER BY b.batch
