CREATE TABLE batch (
    batch BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    provider VARCHAR,
    filed_by VARCHAR NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    records BIGINT NOT NULL,
    admitted BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    breached BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    rulebook_digest VARCHAR NOT NULL,
    software_version VARCHAR NOT NULL,
    last_sequence BIGINT NOT NULL,
    last_leaf BIGINT NOT NULL
);
COMMENT ON TABLE batch IS 'What was recorded together: an import, a registration, an adoption, a change of the signing key. A leaf, too.';
COMMENT ON COLUMN batch.batch IS 'number of the batch, from 1, no gaps';
COMMENT ON COLUMN batch.kind IS 'import, register, rulebook or key';
COMMENT ON COLUMN batch.provider IS 'who submitted the records of an import';
COMMENT ON COLUMN batch.filed_by IS 'who ran the command';
COMMENT ON COLUMN batch.recorded_at IS 'instant of recording, UTC';
COMMENT ON COLUMN batch.records IS 'rows of the import''s files, or register rows';
COMMENT ON COLUMN batch.admitted IS 'records admitted';
COMMENT ON COLUMN batch.refused IS 'records refused';
COMMENT ON COLUMN batch.breached IS 'records breached';
COMMENT ON COLUMN batch.rejected IS 'rows rejected, and so not recorded';
COMMENT ON COLUMN batch.duplicates IS 'rows that repeat an earlier record, and so are not recorded again';
COMMENT ON COLUMN batch.rulebook_digest IS 'digest of the rulebook in force';
COMMENT ON COLUMN batch.software_version IS 'version of quotaledger';
COMMENT ON COLUMN batch.last_sequence IS 'the last record''s sequence once the batch is recorded';
COMMENT ON COLUMN batch.last_leaf IS 'its own leaf, the last that it recorded';

CREATE TABLE batch_file (
    batch BIGINT NOT NULL,
    number BIGINT NOT NULL,
    file VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    records BIGINT NOT NULL
);
COMMENT ON TABLE batch_file IS 'A file of an import.';
COMMENT ON COLUMN batch_file.batch IS 'the batch';
COMMENT ON COLUMN batch_file.number IS 'place among the batch''s files, from 1';
COMMENT ON COLUMN batch_file.file IS 'name as given';
COMMENT ON COLUMN batch_file.sha256 IS 'SHA-256 of its bytes, hex';
COMMENT ON COLUMN batch_file.records IS 'its rows';

CREATE TABLE entry (
    sequence BIGINT NOT NULL,
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    file_number BIGINT NOT NULL,
    row BIGINT NOT NULL,
    provider VARCHAR NOT NULL,
    reference_hash BIGINT NOT NULL,
    reference VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    date DATE NOT NULL,
    stated_destination VARCHAR,
    stated_consignee VARCHAR,
    stated_chip VARCHAR,
    stated_quantity BIGINT,
    stated_basis VARCHAR,
    under VARCHAR,
    license_number VARCHAR,
    expires DATE,
    exporter VARCHAR,
    site VARCHAR,
    evidence VARCHAR,
    note VARCHAR,
    destination VARCHAR NOT NULL,
    counted_destination VARCHAR NOT NULL,
    consignee VARCHAR NOT NULL,
    family VARCHAR NOT NULL,
    chip VARCHAR NOT NULL,
    quantity BIGINT NOT NULL,
    basis VARCHAR,
    outcome VARCHAR NOT NULL,
    limit_id VARCHAR,
    account VARCHAR,
    tpp BIGINT NOT NULL,
    remaining_tpp BIGINT,
    limit_tpp BIGINT,
    under_sequence BIGINT,
    fulfilled BIGINT NOT NULL,
    cap_tpp BIGINT NOT NULL,
    lpp_tpp BIGINT NOT NULL,
    lpp_year BIGINT NOT NULL,
    lpp_from_tpp BIGINT NOT NULL,
    lpp_from_year BIGINT NOT NULL,
    nveu_tpp BIGINT NOT NULL,
    nveu_quarter BIGINT NOT NULL,
    committed_tpp BIGINT NOT NULL,
    installed_tpp BIGINT NOT NULL,
    pending_tpp BIGINT NOT NULL
);
COMMENT ON TABLE entry IS 'A recorded record with its decision and what it counts.

    `stated_...` is as the provider gave it; the columns without the word are what it came to.';
COMMENT ON COLUMN entry.sequence IS 'place in the ledger, from 1, no gaps';
COMMENT ON COLUMN entry.leaf IS 'its leaf of the log';
COMMENT ON COLUMN entry.batch IS 'the batch that recorded it';
COMMENT ON COLUMN entry.file_number IS 'which of the batch''s files';
COMMENT ON COLUMN entry.row IS 'row in that file, from 1';
COMMENT ON COLUMN entry.provider IS 'who submitted it';
COMMENT ON COLUMN entry.reference_hash IS '64 bits of a hash of provider and reference, for finding it again';
COMMENT ON COLUMN entry.reference IS 'the provider''s own identifier';
COMMENT ON COLUMN entry.kind IS 'opening, allocation, delivery, lapse, attrition or reversal';
COMMENT ON COLUMN entry.date IS 'legal date of the event';
COMMENT ON COLUMN entry.stated_destination IS 'destination as given: a country or cloud:region';
COMMENT ON COLUMN entry.stated_consignee IS 'consignee as given';
COMMENT ON COLUMN entry.stated_chip IS 'chip as given';
COMMENT ON COLUMN entry.stated_quantity IS 'quantity as given; a reversal gives none';
COMMENT ON COLUMN entry.stated_basis IS 'basis as given';
COMMENT ON COLUMN entry.under IS 'reference of the record that this one draws on or takes back';
COMMENT ON COLUMN entry.license_number IS 'the licence''s number';
COMMENT ON COLUMN entry.expires IS 'the licence''s last day';
COMMENT ON COLUMN entry.exporter IS 'who exports';
COMMENT ON COLUMN entry.site IS 'where the chips stand, as given';
COMMENT ON COLUMN entry.evidence IS 'what shows it';
COMMENT ON COLUMN entry.note IS 'remark; of a reversal, why';
COMMENT ON COLUMN entry.destination IS 'country, ISO 3166-1 alpha-2, as stored';
COMMENT ON COLUMN entry.counted_destination IS 'country as which it counts';
COMMENT ON COLUMN entry.consignee IS 'party that will own the chips';
COMMENT ON COLUMN entry.family IS 'its ultimate parent when the record was decided';
COMMENT ON COLUMN entry.chip IS 'chip';
COMMENT ON COLUMN entry.quantity IS 'chips; of a reversal, those of the record taken back';
COMMENT ON COLUMN entry.basis IS 'authorization as determined';
COMMENT ON COLUMN entry.outcome IS 'admitted, refused or breached';
COMMENT ON COLUMN entry.limit_id IS 'the limit that spoke';
COMMENT ON COLUMN entry.account IS 'the account that spoke';
COMMENT ON COLUMN entry.tpp IS 'TPP of the record, never signed';
COMMENT ON COLUMN entry.remaining_tpp IS 'TPP that the limit leaves';
COMMENT ON COLUMN entry.limit_tpp IS 'TPP that the limit allowed at most';
COMMENT ON COLUMN entry.under_sequence IS 'sequence of the record that it names';
COMMENT ON COLUMN entry.fulfilled IS 'chips of a delivery that its allocation had outstanding';
COMMENT ON COLUMN entry.cap_tpp IS 'what it adds to its destination''s cap';
COMMENT ON COLUMN entry.lpp_tpp IS 'what it adds to its family''s LPP year';
COMMENT ON COLUMN entry.lpp_year IS 'that year; 0 if none';
COMMENT ON COLUMN entry.lpp_from_tpp IS 'what it takes from another LPP year';
COMMENT ON COLUMN entry.lpp_from_year IS 'that other year; 0 if none';
COMMENT ON COLUMN entry.nveu_tpp IS 'what it adds to its family''s NVEU base in its destination';
COMMENT ON COLUMN entry.nveu_quarter IS 'from that quarter on: year x 4 + (0 to 3); 0 if none';
COMMENT ON COLUMN entry.committed_tpp IS 'what it adds to committed';
COMMENT ON COLUMN entry.installed_tpp IS 'what it adds to installed';
COMMENT ON COLUMN entry.pending_tpp IS 'what it adds to pending';

CREATE TABLE leaf (
    leaf BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    salt BYTEA NOT NULL,
    hash BYTEA NOT NULL
);
COMMENT ON TABLE leaf IS 'A leaf of the log: every decision, register row, adoption, signing key and batch, in the order recorded.';
COMMENT ON COLUMN leaf.leaf IS 'place in the log, from 0, no gaps';
COMMENT ON COLUMN leaf.kind IS 'decision, party, authorization, assurance, chip, rulebook, key or batch';
COMMENT ON COLUMN leaf.salt IS 'the 16 random bytes in it; the rest of its bytes is in the row that it stands for';
COMMENT ON COLUMN leaf.hash IS 'SHA-256 of a zero byte and the leaf''s bytes (RFC 6962, 2.1)';

CREATE TABLE party_row (
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    party VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    headquarters VARCHAR NOT NULL,
    parent VARCHAR
);
COMMENT ON TABLE party_row IS 'A row of the register of parties.';
COMMENT ON COLUMN party_row.leaf IS 'its leaf of the log';
COMMENT ON COLUMN party_row.batch IS 'the batch that recorded it';
COMMENT ON COLUMN party_row.party IS 'party id';
COMMENT ON COLUMN party_row.name IS 'name';
COMMENT ON COLUMN party_row.headquarters IS 'country of its headquarters';
COMMENT ON COLUMN party_row.parent IS 'parent party';

CREATE TABLE authorization_row (
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    party VARCHAR NOT NULL,
    basis VARCHAR NOT NULL,
    destination VARCHAR,
    valid_from DATE NOT NULL,
    valid_to DATE,
    citation VARCHAR
);
COMMENT ON TABLE authorization_row IS 'A row of the register of authorizations.';
COMMENT ON COLUMN authorization_row.leaf IS 'its leaf of the log';
COMMENT ON COLUMN authorization_row.batch IS 'the batch that recorded it';
COMMENT ON COLUMN authorization_row.party IS 'party that holds it';
COMMENT ON COLUMN authorization_row.basis IS 'UVEU or NVEU';
COMMENT ON COLUMN authorization_row.destination IS 'country, for NVEU';
COMMENT ON COLUMN authorization_row.valid_from IS 'first day';
COMMENT ON COLUMN authorization_row.valid_to IS 'last day';
COMMENT ON COLUMN authorization_row.citation IS 'where it was granted';

CREATE TABLE assurance_row (
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    destination VARCHAR NOT NULL,
    uplift_percent BIGINT NOT NULL,
    valid_from DATE NOT NULL,
    citation VARCHAR
);
COMMENT ON TABLE assurance_row IS 'A row of the register of government-to-government assurances.';
COMMENT ON COLUMN assurance_row.leaf IS 'its leaf of the log';
COMMENT ON COLUMN assurance_row.batch IS 'the batch that recorded it';
COMMENT ON COLUMN assurance_row.destination IS 'country';
COMMENT ON COLUMN assurance_row.uplift_percent IS 'whole percent by which its cap is raised, 0 to 100';
COMMENT ON COLUMN assurance_row.valid_from IS 'first day';
COMMENT ON COLUMN assurance_row.citation IS 'where it was given';

CREATE TABLE chip_row (
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    chip VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    vendor VARCHAR,
    tpp BIGINT NOT NULL,
    chip_class VARCHAR NOT NULL,
    source VARCHAR
);
COMMENT ON TABLE chip_row IS 'A row of the register of chips.';
COMMENT ON COLUMN chip_row.leaf IS 'its leaf of the log';
COMMENT ON COLUMN chip_row.batch IS 'the batch that recorded it';
COMMENT ON COLUMN chip_row.chip IS 'chip id';
COMMENT ON COLUMN chip_row.name IS 'name';
COMMENT ON COLUMN chip_row.vendor IS 'who makes it';
COMMENT ON COLUMN chip_row.tpp IS 'TPP of one';
COMMENT ON COLUMN chip_row.chip_class IS '3A090.a if it counts';
COMMENT ON COLUMN chip_row.source IS 'where the figure is from';

CREATE TABLE rulebook_row (
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    rulebook VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    texts VARCHAR NOT NULL
);
COMMENT ON TABLE rulebook_row IS 'A rulebook put in force.';
COMMENT ON COLUMN rulebook_row.leaf IS 'its leaf of the log';
COMMENT ON COLUMN rulebook_row.batch IS 'the batch that recorded it';
COMMENT ON COLUMN rulebook_row.rulebook IS 'its id';
COMMENT ON COLUMN rulebook_row.digest IS 'SHA-256 of its meaning, hex';
COMMENT ON COLUMN rulebook_row.note IS 'why it was adopted';
COMMENT ON COLUMN rulebook_row.texts IS 'its files by name, as JSON';

CREATE TABLE key_row (
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    key VARCHAR NOT NULL,
    note VARCHAR NOT NULL
);
COMMENT ON TABLE key_row IS 'A signing key put in use: the first when the ledger was made, others by rotation.';
COMMENT ON COLUMN key_row.leaf IS 'its leaf of the log';
COMMENT ON COLUMN key_row.batch IS 'the batch that recorded it';
COMMENT ON COLUMN key_row.key IS 'verifier key, NAME+HASH+BASE64 (C2SP signed-note); the name is the log''s origin';
COMMENT ON COLUMN key_row.note IS 'why it was put in use';

CREATE TABLE checkpoint (
    batch BIGINT NOT NULL,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    note VARCHAR NOT NULL
);
COMMENT ON TABLE checkpoint IS 'A signed statement of how many leaves the log had once a batch was recorded, and of their root.';
COMMENT ON COLUMN checkpoint.batch IS 'the batch';
COMMENT ON COLUMN checkpoint.size IS 'number of leaves';
COMMENT ON COLUMN checkpoint.root IS 'root of the Merkle tree over them (RFC 6962, 2.1)';
COMMENT ON COLUMN checkpoint.note IS 'the signed note (C2SP tlog-checkpoint)';

CREATE TABLE migration (
    number BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE NOT NULL
);
COMMENT ON TABLE migration IS 'A numbered change of the tables that was made to this file.';
COMMENT ON COLUMN migration.number IS 'number, from 1';
COMMENT ON COLUMN migration.name IS 'what it did';
COMMENT ON COLUMN migration.applied_at IS 'instant, UTC';

CREATE TABLE balance (
    account VARCHAR NOT NULL,
    consignee VARCHAR NOT NULL,
    destination VARCHAR NOT NULL,
    period BIGINT NOT NULL,
    tpp BIGINT NOT NULL
);
COMMENT ON TABLE balance IS 'Derived: what each account holds, by consignee: the sum of its rows here is that of the entries'' counts.';
COMMENT ON COLUMN balance.account IS 'cap, lpp, nveu, committed, installed or pending';
COMMENT ON COLUMN balance.consignee IS 'party';
COMMENT ON COLUMN balance.destination IS 'country as which it counts';
COMMENT ON COLUMN balance.period IS 'LPP year or NVEU quarter number; else 0';
COMMENT ON COLUMN balance.tpp IS 'TPP';

CREATE TABLE head (
    sequence BIGINT NOT NULL,
    leaf BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    peaks BYTEA NOT NULL,
    latest_date DATE NOT NULL
);
COMMENT ON TABLE head IS 'Derived: where the ledger stands, in one row.';
COMMENT ON COLUMN head.sequence IS 'the last record''s sequence';
COMMENT ON COLUMN head.leaf IS 'the number of leaves';
COMMENT ON COLUMN head.batch IS 'the last batch';
COMMENT ON COLUMN head.peaks IS 'roots of the perfect subtrees that the log is made of, the largest first, 32 bytes each';
COMMENT ON COLUMN head.latest_date IS 'latest legal date recorded';

CREATE TABLE tile (
    level BIGINT NOT NULL,
    number BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
COMMENT ON TABLE tile IS 'Derived: the root of a perfect subtree of 256, 65,536, ... leaves, so that proofs need few hashes.';
COMMENT ON COLUMN tile.level IS 'a subtree of 2^level leaves; 8, 16, ...';
COMMENT ON COLUMN tile.number IS 'which of them, from 0';
COMMENT ON COLUMN tile.hash IS 'its root';

CREATE TABLE country (
    country VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    counted_as VARCHAR NOT NULL,
    tier BIGINT NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL
);
COMMENT ON TABLE country IS 'Derived: a country under the rulebook in force, a row for each span of days with one tier.';
COMMENT ON COLUMN country.country IS 'ISO 3166-1 alpha-2';
COMMENT ON COLUMN country.name IS 'name';
COMMENT ON COLUMN country.counted_as IS 'country as which it counts';
COMMENT ON COLUMN country.tier IS '1, 2 or 3';
COMMENT ON COLUMN country.first_day IS 'first day of the tier';
COMMENT ON COLUMN country.last_day IS 'last day of the tier';

CREATE TABLE parameter (
    parameter VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    valid_from DATE NOT NULL,
    citation VARCHAR NOT NULL,
    certainty VARCHAR NOT NULL,
    sentence VARCHAR NOT NULL,
    rulebook VARCHAR NOT NULL
);
COMMENT ON TABLE parameter IS 'Derived: a figure of the rulebook in force; schedules have a row for each period.';
COMMENT ON COLUMN parameter.parameter IS 'name';
COMMENT ON COLUMN parameter.value IS 'value as text';
COMMENT ON COLUMN parameter.unit IS 'unit';
COMMENT ON COLUMN parameter.valid_from IS 'day from which the instrument has it';
COMMENT ON COLUMN parameter.citation IS 'paragraph';
COMMENT ON COLUMN parameter.certainty IS 'how sure the figure is';
COMMENT ON COLUMN parameter.sentence IS 'what it is';
COMMENT ON COLUMN parameter.rulebook IS 'id of the rulebook';

CREATE TABLE view_digest (
    digest VARCHAR NOT NULL
);
COMMENT ON TABLE view_digest IS 'Derived: which version of the views, macros and sentences the file has, in one row.';
COMMENT ON COLUMN view_digest.digest IS 'SHA-256 of their texts, hex';

CREATE TABLE limit_text (
    rulebook_digest VARCHAR NOT NULL,
    limit_id VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    template VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    citation VARCHAR NOT NULL,
    h100_equivalent_tpp BIGINT NOT NULL
);
COMMENT ON TABLE limit_text IS 'Derived: what every adopted rulebook calls a limit, with the sentence of a decision by it.';
COMMENT ON COLUMN limit_text.rulebook_digest IS 'digest of the rulebook';
COMMENT ON COLUMN limit_text.limit_id IS 'limit, or blank where none was tested';
COMMENT ON COLUMN limit_text.outcome IS 'admitted, refused or breached';
COMMENT ON COLUMN limit_text.template IS 'sentence with places for a decision''s values';
COMMENT ON COLUMN limit_text.title IS 'the limit''s name';
COMMENT ON COLUMN limit_text.citation IS 'paragraph';
COMMENT ON COLUMN limit_text.h100_equivalent_tpp IS 'TPP of one H100 equivalent in that rulebook, for reading';

-- A trigger must write somewhere; it never comes to that.
CREATE TABLE never (reason VARCHAR);

CREATE TRIGGER batch_no_update BEFORE UPDATE ON batch FOR EACH STATEMENT
    INSERT INTO never SELECT error('batch is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER batch_no_delete BEFORE DELETE ON batch FOR EACH STATEMENT
    INSERT INTO never SELECT error('batch is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER batch_file_no_update BEFORE UPDATE ON batch_file FOR EACH STATEMENT
    INSERT INTO never SELECT error('batch_file is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER batch_file_no_delete BEFORE DELETE ON batch_file FOR EACH STATEMENT
    INSERT INTO never SELECT error('batch_file is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry FOR EACH STATEMENT
    INSERT INTO never SELECT error('entry is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry FOR EACH STATEMENT
    INSERT INTO never SELECT error('entry is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER leaf_no_update BEFORE UPDATE ON leaf FOR EACH STATEMENT
    INSERT INTO never SELECT error('leaf is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER leaf_no_delete BEFORE DELETE ON leaf FOR EACH STATEMENT
    INSERT INTO never SELECT error('leaf is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER party_row_no_update BEFORE UPDATE ON party_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('party_row is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER party_row_no_delete BEFORE DELETE ON party_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('party_row is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER authorization_row_no_update BEFORE UPDATE ON authorization_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('authorization_row is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER authorization_row_no_delete BEFORE DELETE ON authorization_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('authorization_row is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER assurance_row_no_update BEFORE UPDATE ON assurance_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('assurance_row is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER assurance_row_no_delete BEFORE DELETE ON assurance_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('assurance_row is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER chip_row_no_update BEFORE UPDATE ON chip_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('chip_row is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER chip_row_no_delete BEFORE DELETE ON chip_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('chip_row is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER rulebook_row_no_update BEFORE UPDATE ON rulebook_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('rulebook_row is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER rulebook_row_no_delete BEFORE DELETE ON rulebook_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('rulebook_row is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER key_row_no_update BEFORE UPDATE ON key_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('key_row is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER key_row_no_delete BEFORE DELETE ON key_row FOR EACH STATEMENT
    INSERT INTO never SELECT error('key_row is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint FOR EACH STATEMENT
    INSERT INTO never SELECT error('checkpoint is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint FOR EACH STATEMENT
    INSERT INTO never SELECT error('checkpoint is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE TRIGGER migration_no_update BEFORE UPDATE ON migration FOR EACH STATEMENT
    INSERT INTO never SELECT error('migration is append-only: what is recorded stays; correct it with a reversal and a new record');
CREATE TRIGGER migration_no_delete BEFORE DELETE ON migration FOR EACH STATEMENT
    INSERT INTO never SELECT error('migration is append-only: what is recorded stays; correct it with a reversal and a new record');

CREATE INDEX entry_reference_hash ON entry (reference_hash);

CREATE INDEX entry_under_sequence ON entry (under_sequence);
