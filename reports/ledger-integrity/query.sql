-- What was recorded in the period, by the instant of recording in UTC.

-- view: imports
SELECT batches.* FROM batches JOIN period
    ON CAST(batches.recorded_at AT TIME ZONE 'UTC' AS DATE) BETWEEN period.first_day AND period.last_day OR period.is_whole

-- query: state
SELECT sequence, leaves, batch AS batches, latest_date, rulebook FROM ledger_state

-- query: recorded
SELECT provider, count(*) AS imports, tpp_of(sum(records)) AS records, tpp_of(sum(admitted)) AS admitted,
    tpp_of(sum(refused)) AS refused, tpp_of(sum(breached)) AS breached, tpp_of(sum(rejected)) AS rejected,
    tpp_of(sum(duplicates)) AS duplicates
FROM imports GROUP BY provider ORDER BY sum(imports.records) DESC, provider

-- query: rejected
SELECT batch, provider, recorded_at, file, records, rejected FROM imports WHERE rejected > 0 ORDER BY batch

-- query: signed
SELECT checkpoints.batch, checkpoints.sequence, checkpoints.leaves, checkpoints.root, checkpoints.recorded_at,
    count(*) OVER () AS of_so_many
FROM checkpoints JOIN period
    ON CAST(checkpoints.recorded_at AT TIME ZONE 'UTC' AS DATE) BETWEEN period.first_day AND period.last_day OR period.is_whole
ORDER BY checkpoints.leaves DESC LIMIT 100

-- query: rulebooks_adopted
SELECT adoption, rulebook, digest, adopted_at, filed_by, note, records, in_force FROM rulebooks ORDER BY adoption

-- query: software
SELECT software_version, count(*) AS imports, min(recorded_at) AS first_at, max(recorded_at) AS last_at
FROM batches GROUP BY software_version ORDER BY min(batch)
