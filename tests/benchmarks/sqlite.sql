-- The same as in PostgreSQL, without triggers; the function that decides is Python's.

CREATE TABLE chip (chip TEXT PRIMARY KEY, tpp INTEGER NOT NULL) STRICT;

CREATE TABLE balance (
    country TEXT PRIMARY KEY,
    cap INTEGER NOT NULL,
    allocated INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE entry (
    sequence INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    reference TEXT NOT NULL,
    kind TEXT NOT NULL,
    date TEXT NOT NULL,
    destination TEXT NOT NULL,
    consignee TEXT NOT NULL,
    chip TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    tpp INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    remaining INTEGER NOT NULL,
    recorded_at TEXT NOT NULL DEFAULT current_timestamp,
    UNIQUE (provider, reference)
) STRICT;
