-- Signed checkpoints of the log: none yet, the log is not signed.
-- sequence: the last record under the checkpoint
-- leaves: number of leaves
-- root: root of the log, hex
-- recorded_at: instant, UTC
-- note: the signed note
SELECT NULL::BIGINT AS sequence, NULL::BIGINT AS leaves, NULL::VARCHAR AS root,
    NULL::TIMESTAMP WITH TIME ZONE AS recorded_at, NULL::VARCHAR AS note
WHERE false
