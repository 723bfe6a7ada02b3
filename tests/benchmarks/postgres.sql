-- An append-only ledger as one would build it with PostgreSQL: a table of entries that refuses UPDATE and DELETE, a row
-- of balances for each country, and one function that decides a record while it holds its country's row locked.
-- No limit but the country caps, nothing hashed, nothing signed.

CREATE TABLE chip (chip text PRIMARY KEY, tpp bigint NOT NULL);

CREATE TABLE balance (
    country text PRIMARY KEY,
    cap bigint NOT NULL,
    allocated bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0
);

CREATE TABLE entry (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL,
    date date NOT NULL,
    destination text NOT NULL REFERENCES balance,
    consignee text NOT NULL,
    chip text NOT NULL REFERENCES chip,
    quantity bigint NOT NULL CHECK (quantity > 0),
    tpp bigint NOT NULL,
    outcome text NOT NULL,
    remaining bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (provider, reference)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries are never changed';
END $$;

CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE ON entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION decide(
    of_provider text, of_reference text, of_kind text, of_date date, of_destination text, of_consignee text,
    of_chip text, of_quantity bigint
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    asked bigint;
    held balance;
    said text := 'admitted';
BEGIN
    SELECT tpp * of_quantity INTO STRICT asked FROM chip WHERE chip = of_chip;
    SELECT * INTO STRICT held FROM balance WHERE country = of_destination FOR UPDATE;
    -- Looked for under the lock: who sent the same record just before has committed by now.
    IF EXISTS (SELECT FROM entry WHERE provider = of_provider AND reference = of_reference) THEN
        RETURN 'duplicate';
    END IF;
    IF of_kind = 'delivery' THEN
        UPDATE balance SET delivered = delivered + asked WHERE country = of_destination;
    ELSIF held.allocated + asked > held.cap THEN
        said := 'refused';
    ELSE
        held.allocated := held.allocated + asked;
        UPDATE balance SET allocated = held.allocated WHERE country = of_destination;
    END IF;
    INSERT INTO entry (provider, reference, kind, date, destination, consignee, chip, quantity, tpp, outcome, remaining)
    VALUES (
        of_provider, of_reference, of_kind, of_date, of_destination, of_consignee, of_chip, of_quantity, asked, said,
        held.cap - held.allocated
    );
    RETURN said;
END $$;
