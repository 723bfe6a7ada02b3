-- A signed checkpoint of the log: how many leaves there were once a batch was recorded, and their root.
-- batch: the batch
-- sequence: the last record under the checkpoint
-- leaves: number of leaves
-- root: root of the Merkle tree over them (RFC 6962), hex
-- recorded_at: instant of recording, UTC
-- note: the signed note (C2SP tlog-checkpoint)
SELECT c.batch, b.last_sequence AS sequence, c.size AS leaves, lower(hex(c.root)) AS root, b.recorded_at, c.note
FROM checkpoint AS c
JOIN batch AS b ON b.batch = c.batch
ORDER BY c.batch
