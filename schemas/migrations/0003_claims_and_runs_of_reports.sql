CREATE TABLE claim_row (
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    report VARCHAR NOT NULL,
    period VARCHAR NOT NULL,
    today DATE NOT NULL,
    leaves BIGINT NOT NULL,
    definition VARCHAR NOT NULL,
    attempt BIGINT NOT NULL,
    holder VARCHAR NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE NOT NULL
);
COMMENT ON TABLE claim_row IS 'That somebody makes a report for a period: whose it is, until when, and from which state of the ledger.';
COMMENT ON COLUMN claim_row.leaf IS 'its leaf of the log';
COMMENT ON COLUMN claim_row.batch IS 'the batch that recorded it';
COMMENT ON COLUMN claim_row.report IS 'name of the report';
COMMENT ON COLUMN claim_row.period IS 'the period, as `report run --period` takes it';
COMMENT ON COLUMN claim_row.today IS 'the day that the pages are stamped with';
COMMENT ON COLUMN claim_row.leaves IS 'leaves of the checkpoint as of which it is made';
COMMENT ON COLUMN claim_row.definition IS 'SHA-256 of the report''s folder and settings, hex';
COMMENT ON COLUMN claim_row.attempt IS 'which attempt at this period, from 1';
COMMENT ON COLUMN claim_row.holder IS 'who makes it';
COMMENT ON COLUMN claim_row.lease_until IS 'until when nobody else may take it over, UTC';

CREATE TABLE run_row (
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    report VARCHAR NOT NULL,
    period VARCHAR NOT NULL,
    attempt BIGINT NOT NULL,
    outcome VARCHAR NOT NULL,
    sha256 VARCHAR,
    milliseconds BIGINT NOT NULL,
    reason VARCHAR
);
COMMENT ON TABLE run_row IS 'What became of a claim; of a report and period there is one at most that is made.';
COMMENT ON COLUMN run_row.leaf IS 'its leaf of the log';
COMMENT ON COLUMN run_row.batch IS 'the batch that recorded it';
COMMENT ON COLUMN run_row.report IS 'name of the report';
COMMENT ON COLUMN run_row.period IS 'the period';
COMMENT ON COLUMN run_row.attempt IS 'which attempt';
COMMENT ON COLUMN run_row.outcome IS 'made or failed';
COMMENT ON COLUMN run_row.sha256 IS 'SHA-256 of the list of its files with their SHA-256, hex, if it was made';
COMMENT ON COLUMN run_row.milliseconds IS 'how long that took';
COMMENT ON COLUMN run_row.reason IS 'why it failed';

COMMENT ON COLUMN batch.kind IS 'import, register, rulebook, key or report';
COMMENT ON COLUMN batch.records IS 'rows of the import''s files, or register rows, claims and runs';
COMMENT ON COLUMN leaf.kind IS 'decision, party, authorization, assurance, chip, rulebook, key, request, claim, run or batch';

CREATE TRIGGER claim_row_no_update BEFORE UPDATE ON claim_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('claim_row is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER claim_row_no_delete BEFORE DELETE ON claim_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('claim_row is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER run_row_no_update BEFORE UPDATE ON run_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('run_row is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER run_row_no_delete BEFORE DELETE ON run_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('run_row is append-only: what is recorded stays; correct it with a reversal and a new record');
