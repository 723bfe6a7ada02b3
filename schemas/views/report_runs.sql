-- An attempt at a scheduled report: who made it, from which state of the ledger, and what became of it.
-- report: name of the report
-- period: its period, as `report run --period` takes it
-- attempt: which attempt at that period, from 1
-- claimed_at: since when it was being made, UTC
-- holder: who made it
-- lease_until: until when nobody else could take it over, UTC
-- today: the day that the pages are stamped with; the same for every attempt
-- leaves: leaves of the checkpoint as of which it is made; the same for every attempt
-- definition: SHA-256 of the report's folder and settings, hex
-- outcome: made or failed; blank while it is being made, and of one that was given up
-- ended_at: when that was recorded, UTC
-- milliseconds: how long it took
-- sha256: SHA-256 of the list of its files, hex
-- reason: why it failed
SELECT c.report, c.period, c.attempt, b.recorded_at AS claimed_at, c.holder, c.lease_until, c.today, c.leaves,
    c.definition, r.outcome, e.recorded_at AS ended_at, r.milliseconds, r.sha256, r.reason
FROM claim_row AS c
JOIN batch AS b ON b.batch = c.batch
LEFT JOIN run_row AS r ON r.report = c.report AND r.period = c.period AND r.attempt = c.attempt
LEFT JOIN batch AS e ON e.batch = r.batch
ORDER BY c.leaf
