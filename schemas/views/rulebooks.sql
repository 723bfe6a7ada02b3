-- The rulebooks that were put in force, one after another; the last is in force.
-- adoption: number of the adoption, from 1
-- rulebook: the rulebook's id
-- digest: SHA-256 of its meaning, hex: what decisions cite
-- adopted_at: instant of recording, UTC
-- filed_by: who ran the command
-- note: why it was adopted
-- records: records decided while it was in force
-- in_force: whether it is the one in force
-- batch: the batch that recorded it
-- leaf: place of its leaf in the log
SELECT
    row_number() OVER adoptions AS adoption, adopted.rulebook, adopted.digest, batch.recorded_at AS adopted_at,
    batch.filed_by, adopted.note,
    coalesce(lead(batch.last_sequence) OVER adoptions, (SELECT max(last_sequence) FROM batch)) - batch.last_sequence
        AS records,
    lead(adopted.leaf) OVER adoptions IS NULL AS in_force, adopted.batch, adopted.leaf
FROM rulebook_row AS adopted JOIN batch ON batch.batch = adopted.batch
WINDOW adoptions AS (ORDER BY adopted.leaf)
ORDER BY adopted.leaf
