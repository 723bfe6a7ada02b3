CREATE TABLE request_row (
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    request VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    idempotency_key VARCHAR,
    sha256 VARCHAR NOT NULL,
    unrecorded VARCHAR
);
COMMENT ON TABLE request_row IS 'A request to the import API that a batch answers, kept so that whoever repeats it gets the same answer.';
COMMENT ON COLUMN request_row.leaf IS 'its leaf of the log';
COMMENT ON COLUMN request_row.batch IS 'the batch that recorded it';
COMMENT ON COLUMN request_row.request IS 'id of the request, under which its answer is found';
COMMENT ON COLUMN request_row.provider IS 'who sent it';
COMMENT ON COLUMN request_row.idempotency_key IS 'the sender''s own name for it: the same one is never recorded twice';
COMMENT ON COLUMN request_row.sha256 IS 'SHA-256 of what was asked for and sent, hex';
COMMENT ON COLUMN request_row.unrecorded IS 'JSON: the rows that were rejected or repeat a record, each with why or which';

COMMENT ON COLUMN leaf.kind IS 'decision, party, authorization, assurance, chip, rulebook, key, request or batch';

CREATE TRIGGER request_row_no_update BEFORE UPDATE ON request_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('request_row is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER request_row_no_delete BEFORE DELETE ON request_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('request_row is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE INDEX request_row_request ON request_row (request);
CREATE INDEX request_row_idempotency_key ON request_row (idempotency_key);
