"""What must hold between the rows of the ledger tables whatever they say: numbers, counts, and the batch of each row.

Each rule is a query that gives the first row that breaks it, and the sentence that says so: a new rule goes in here.
"""

from typing import Final

import duckdb

from ledger.core.errors import VerificationFailed
from ledger.store.blame import KEEP
from ledger.store.log import place_of
from ledger.store.query import first, rows
from ledger.tlog.leaf import FIELDS

Rule = tuple[str, str]

_ROWS: Final = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, leaf, batch FROM {place_of(kind)[0]}"
    for kind in FIELDS
    if kind not in ("decision", "batch")
)
_NO_RECORDS: Final = " OR ".join(
    f"{name} <> 0" for name in ("admitted", "refused", "breached", "rejected", "duplicates")
)

FRAME: Final[tuple[Rule, ...]] = (
    (
        "SELECT n FROM (SELECT batch, row_number() OVER (ORDER BY batch) AS n FROM batch) WHERE batch <> n ORDER BY n",
        "batch {0:,} is missing, or one before it is there twice: batches are numbered from 1 without gaps",
    ),
    (
        """SELECT batch, last_leaf FROM (SELECT *, lag(last_leaf, 1, -1) OVER (ORDER BY batch) AS before FROM batch)
        WHERE last_leaf <= before ORDER BY batch""",
        "batch {0:,} says that leaf {1:,} closes it, but the batch before it is closed by that one or a later one",
    ),
    (
        """SELECT b.batch, b.last_leaf FROM batch AS b LEFT JOIN leaf AS l ON l.leaf = b.last_leaf
        WHERE l.kind IS DISTINCT FROM 'batch' ORDER BY b.batch""",
        "batch {0:,} says that leaf {1:,} closes it, but that leaf is missing or no batch's",
    ),
    (
        "SELECT leaf FROM leaf WHERE leaf < 0 OR leaf > (SELECT max(last_leaf) FROM batch) ORDER BY leaf",
        "leaf {0:,} is there, but no batch has closed it",
    ),
)
"""What must hold before leaves can be held against rows."""

COUNTS: Final[tuple[Rule, ...]] = (
    (
        """SELECT t.table_name, t.there, t.leaves FROM (
            SELECT 'entry' AS table_name, (SELECT count(*) FROM entry) AS there,
                (SELECT count(*) FROM leaf WHERE kind = 'decision') AS leaves
            """
        + "".join(
            f"""UNION ALL SELECT '{place_of(kind)[0]}', (SELECT count(*) FROM {place_of(kind)[0]}),
                (SELECT count(*) FROM leaf WHERE kind = '{kind}') """
            for kind in FIELDS
            if kind != "decision"
        )
        + ") AS t WHERE t.there <> t.leaves",
        "the table {0} has {1:,} rows, but the log has {2:,} leaves for them",
    ),
    (
        f"""SELECT r.kind, r.leaf, r.batch FROM (SELECT 'decision' AS kind, min(leaf) AS leaf, max(leaf) AS last, batch
            FROM entry GROUP BY batch UNION ALL SELECT kind, leaf, leaf, batch FROM ({_ROWS})) AS r
        LEFT JOIN (SELECT *, lag(last_leaf, 1, -1) OVER (ORDER BY batch) AS before FROM batch) AS b USING (batch)
        WHERE b.batch IS NULL OR r.leaf <= b.before OR r.last >= b.last_leaf ORDER BY r.leaf""",
        "leaf {1:,}, a {0}, says that batch {2:,} recorded it, but it lies among the leaves of another",
    ),
    (
        """WITH found AS (SELECT batch, count(*) FILTER (outcome = 'admitted') AS admitted,
            count(*) FILTER (outcome = 'refused') AS refused, count(*) FILTER (outcome = 'breached') AS breached,
            count(*) AS recorded FROM entry GROUP BY batch)
        SELECT b.batch, b.admitted, b.refused, b.breached, coalesce(f.admitted, 0), coalesce(f.refused, 0),
            coalesce(f.breached, 0) FROM batch AS b LEFT JOIN found AS f USING (batch)
        WHERE b.admitted <> coalesce(f.admitted, 0) OR b.refused <> coalesce(f.refused, 0)
            OR b.breached <> coalesce(f.breached, 0) OR coalesce(f.recorded, 0) <> b.admitted + b.refused + b.breached
        ORDER BY batch""",
        "batch {0:,} counts {1:,} admitted, {2:,} refused, {3:,} breached records, but {4:,}, {5:,}, {6:,} are there",
    ),
    (
        """SELECT b.batch, b.last_sequence, f.last FROM batch AS b ASOF JOIN (SELECT 0 AS batch, 0 AS last UNION ALL
            SELECT batch, max(sequence) FROM entry GROUP BY batch) AS f ON b.batch >= f.batch
        WHERE b.last_sequence <> f.last ORDER BY b.batch""",
        "batch {0:,} says that record {1:,} was the last when it was closed, but it was record {2:,}",
    ),
    (
        f"""SELECT b.batch FROM batch AS b LEFT JOIN (SELECT batch, count(*) AS there, bool_and(kind = 'key') AS keys,
            bool_or(kind = 'rulebook') AS adopts, bool_or(kind IN ('claim', 'run')) AS reports
            FROM ({_ROWS}) WHERE kind <> 'request' GROUP BY batch) AS r USING (batch)
        WHERE CASE b.kind
            WHEN 'import' THEN b.provider IS NULL OR r.there IS NOT NULL
                OR b.records <> b.admitted + b.refused + b.breached + b.rejected + b.duplicates
            WHEN 'report' THEN r.there IS DISTINCT FROM 1 OR NOT r.reports
            WHEN 'register' THEN r.keys OR r.adopts OR r.reports ELSE r.keys IS DISTINCT FROM (b.kind = 'key')
                OR r.adopts IS DISTINCT FROM (b.kind = 'rulebook') OR r.reports END
            OR b.kind NOT IN ('import', 'register', 'rulebook', 'key', 'report')
            OR b.kind <> 'import' AND (b.provider IS NOT NULL OR {_NO_RECORDS} OR b.records IS DISTINCT FROM r.there)
        ORDER BY b.batch""",
        "batch {0:,} says another kind or number of rows than it recorded",
    ),
    (
        """SELECT report, period FROM run_row WHERE outcome = 'made' GROUP BY report, period HAVING count(*) > 1
        ORDER BY ALL""",
        "the report {0} of the period {1} was made more than once",
    ),
    (
        """SELECT r.leaf, r.report, r.period FROM run_row AS r LEFT JOIN claim_row AS c USING (report, period, attempt)
        WHERE c.leaf IS NULL OR c.leaf > r.leaf ORDER BY r.leaf""",
        "leaf {0:,} says what became of the report {1} of the period {2}, but nobody had claimed it",
    ),
    (
        """SELECT e.sequence, e.batch FROM entry AS e JOIN batch AS b USING (batch)
        WHERE e.provider <> b.provider ORDER BY e.sequence""",
        "record {0:,} has another provider than its batch {1:,}",
    ),
    (
        """SELECT b.batch FROM batch AS b ASOF LEFT JOIN rulebook_row AS r ON r.leaf <= b.last_leaf
        WHERE b.rulebook_digest IS DISTINCT FROM r.digest ORDER BY b.batch""",
        "batch {0:,} cites another rulebook than the one that was in force",
    ),
    (
        """SELECT batch FROM (SELECT batch, number, row_number() OVER (PARTITION BY batch ORDER BY number) AS n
            FROM batch_file)
        WHERE number <> n OR batch NOT IN (SELECT batch FROM batch) ORDER BY batch""",
        "the files of batch {0:,} (batch_file) are not numbered from 1 without gaps, or there is no such batch",
    ),
    (
        """SELECT b.batch FROM batch AS b LEFT JOIN (
            SELECT batch, sum(records) AS records FROM batch_file GROUP BY batch) AS f USING (batch)
        WHERE CASE WHEN b.kind = 'import' THEN b.records END IS DISTINCT FROM f.records
        ORDER BY b.batch""",
        "the files of batch {0:,} (batch_file) have another number of rows than it says",
    ),
    (
        """SELECT min(e.sequence), e.file_number FROM entry AS e LEFT JOIN (
            SELECT batch, count(*) AS files FROM batch_file GROUP BY batch) AS f USING (batch)
        WHERE e.file_number < 1 OR e.file_number > coalesce(f.files, 0) OR e.row < 1 GROUP BY e.batch, e.file_number
        ORDER BY ALL""",
        "record {0:,} is said to come from file {1:,} of its batch, or from a row there, that cannot be",
    ),
    (
        """SELECT first, file_number FROM (SELECT *, lag(last) OVER (PARTITION BY batch ORDER BY file_number) AS before
            FROM (SELECT batch, file_number, min(sequence) AS first, max(sequence) AS last FROM entry GROUP BY ALL))
        WHERE first < before ORDER BY first""",
        "record {0:,} is said to come from file {1:,} of its batch, but records of the file before it come after it",
    ),
)
"""What must hold besides, once each row is known to be what was sealed."""


def hold(connection: duckdb.DuckDBPyConnection, rules: tuple[Rule, ...]) -> None:
    """See that every rule holds. Raises VerificationFailed for the first that does not."""
    for query, sentence in rules:
        broken = first(connection, f"{query} LIMIT 1")
        if broken:
            raise VerificationFailed(f"{sentence.format(*broken)}; {KEEP}")


def leaves(connection: duckdb.DuckDBPyConnection) -> int:
    """Give the number of leaves. Raises VerificationFailed for the first that is missing, or there twice."""
    found, last = first(connection, "SELECT count(*), coalesce(max(leaf) + 1, 0) FROM leaf") or (0, 0)
    if found != last:  # only then it is worth to put them in order
        query = "SELECT leaf, lag(leaf, 1, -1) OVER (ORDER BY leaf) AS before FROM leaf ORDER BY leaf"
        gap = first(connection, f"SELECT leaf, before FROM ({query}) WHERE leaf <> before + 1 LIMIT 1")
        if gap:
            wrong = f"{gap[1] + 1:,} of the log is missing" if gap[0] > gap[1] else f"{gap[0]:,} is there twice"
            raise VerificationFailed(f"leaf {wrong}: leaves are numbered without gaps; {KEEP}")
    return int(found)


def by_kind(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Give how many leaves there are of each kind."""
    return dict(rows(connection, "SELECT kind, count(*) FROM leaf GROUP BY kind ORDER BY count(*) DESC, kind"))


def by_outcome(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Give how many records there are of each outcome."""
    return dict(rows(connection, "SELECT outcome, count(*) FROM entry GROUP BY outcome ORDER BY outcome"))


def count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Give how many rows a table has."""
    return int(rows(connection, f"SELECT count(*) FROM {table}")[0][0])
