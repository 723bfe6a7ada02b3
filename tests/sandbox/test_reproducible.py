"""Whether the same query at the same checkpoint gives the same bytes by right, not by chance."""

from collections.abc import Iterator

import duckdb
import pytest

from ledger.sandbox.pool import Pool
from ledger.sandbox.running import Limits
from tests.sandbox.published import published

BY_RIGHT = (
    "SELECT * FROM decisions ORDER BY ALL",
    "SELECT sequence, tpp FROM decisions ORDER BY sequence",
    "SELECT sequence, tpp FROM decisions ORDER BY tpp DESC, sequence",
    "SELECT sequence, tpp FROM decisions ORDER BY 1",
    "SELECT reference, sequence FROM decisions ORDER BY sequence LIMIT 2",
    "SELECT reference, sequence FROM decisions ORDER BY sequence LIMIT 2 OFFSET 1",
    "SELECT destination, sum(tpp) AS tpp FROM decisions GROUP BY destination ORDER BY destination",
    "SELECT destination, used_tpp FROM country_positions ORDER BY used_tpp, destination LIMIT 5",
    "SELECT string_agg(reference, ', ' ORDER BY reference) AS names FROM decisions ORDER BY ALL",
    "SELECT sequence, rank() OVER (ORDER BY tpp) AS place FROM decisions ORDER BY sequence",
    "SELECT count(*) AS n FROM decisions ORDER BY n",
    "SELECT range FROM range(3) ORDER BY range",
    "SELECT avg(tpp) AS mean FROM decisions ORDER BY ALL",
    "SELECT destination, sum(tpp) / 2 AS half FROM decisions GROUP BY ALL ORDER BY destination",
    "SELECT sum(n) AS n FROM (SELECT count(*) AS n FROM decisions GROUP BY destination) ORDER BY ALL",
    "FROM as_of(DATE '2026-12-31') ORDER BY destination",
)
BY_CHANCE = (
    "SELECT * FROM decisions",
    "SELECT destination, tpp FROM decisions ORDER BY destination",
    "SELECT reference, destination FROM decisions ORDER BY destination LIMIT 2",
    "SELECT reference, destination FROM decisions ORDER BY destination LIMIT 1",
    "SELECT reference, destination FROM decisions ORDER BY destination LIMIT 1 OFFSET 1",
    "SELECT reference, destination FROM decisions ORDER BY destination, lower(reference) LIMIT 1",
    "SELECT reference, sequence FROM decisions ORDER BY sequence LIMIT (SELECT 2)",
    "SELECT sequence, now() AS at FROM decisions ORDER BY sequence",
    "SELECT sequence, current_date AS day FROM decisions ORDER BY sequence",
    "SELECT sequence, random() AS chance FROM decisions ORDER BY sequence",
    "SELECT uuid() AS name ORDER BY ALL",
    "SELECT * FROM decisions USING SAMPLE 2 ORDER BY ALL",
    "SELECT string_agg(reference, ', ') AS names FROM decisions ORDER BY ALL",
    "SELECT first(reference) AS name FROM decisions ORDER BY ALL",
    "SELECT arg_max(reference, tpp) AS name FROM decisions ORDER BY ALL",
    "SELECT sequence, row_number() OVER () AS place FROM decisions ORDER BY sequence",
    "SELECT * FROM (SELECT reference FROM decisions LIMIT 1) ORDER BY ALL",
    "WITH chosen AS (SELECT reference FROM decisions LIMIT 1) SELECT * FROM chosen ORDER BY ALL",
    "SELECT DISTINCT ON (destination) destination, reference FROM decisions ORDER BY ALL",
    "SELECT sum(used_h100e) AS h FROM country_positions ORDER BY ALL",
    "SELECT sum(tpp / 3) AS h FROM decisions ORDER BY ALL",
    "SELECT sum(tpp::DOUBLE) AS h FROM decisions ORDER BY ALL",
    "SELECT avg(tpp * 1e0) AS h FROM decisions ORDER BY ALL",
    "SELECT stddev(tpp) AS h FROM decisions ORDER BY ALL",
    "SELECT sum(half) AS h FROM (SELECT tpp / 2 AS half FROM decisions) ORDER BY ALL",
    "SELECT sequence, sum(sqrt(tpp)) OVER (PARTITION BY destination) AS h FROM decisions ORDER BY sequence",
    "SELECT string_agg(reference, ', ' ORDER BY tpp) AS names FROM decisions ORDER BY ALL",
    "SELECT sequence, list(reference) OVER () AS names FROM decisions ORDER BY sequence",
    "SELECT sum(tpp) AS h FROM (SELECT tpp / 3 AS tpp FROM decisions) ORDER BY ALL",
    "SELECT sum(tpp) AS h FROM (SELECT sqrt(tpp) FROM decisions) AS t(tpp) ORDER BY ALL",
    "WITH t(tpp) AS (SELECT tpp / 3 FROM decisions) SELECT sum(tpp) AS h FROM t ORDER BY ALL",
    "SELECT reference AS destination, destination AS x FROM decisions ORDER BY decisions.destination LIMIT 2",
    "SELECT a.sequence FROM decisions AS a POSITIONAL JOIN (SELECT destination FROM decisions) AS b ORDER BY ALL",
    "SELECT a.sequence, b.reference FROM decisions a ASOF JOIN decisions b ON a.tpp >= b.tpp ORDER BY ALL",
    "SELECT published_at FROM publication ORDER BY ALL",
    "SELECT current_localtimestamp() AS at ORDER BY ALL",
    "SELECT age(DATE '2020-01-01') AS at ORDER BY ALL",
    "SELECT entropy(tpp) AS h FROM decisions ORDER BY ALL",
    "SELECT arg_max_nulls_last(reference, tpp) AS name FROM decisions ORDER BY ALL",
    "DESCRIBE decisions",
    "EXPLAIN SELECT 1",
)


@pytest.fixture(scope="module", name="pool")
def _pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    made = Pool(published(tmp_path_factory.mktemp("copy")).path, Limits(), workers=1)
    yield made
    made.close()


@pytest.mark.parametrize("query", BY_RIGHT)
def test_a_total_order_and_nothing_of_chance_is_the_same_again(pool: Pool, query: str) -> None:
    """And is said to be; asked again, it is."""
    first, again = pool.submit(query).result(), pool.submit(query).result()

    assert first.reproducible
    assert (first.content, first.checkpoint) == (again.content, again.checkpoint)


@pytest.mark.parametrize("query", BY_CHANCE)
def test_anything_else_is_said_not_to_be(pool: Pool, query: str) -> None:
    """Though it may well be so this time."""
    assert not pool.submit(query).result().reproducible


def test_the_functions_of_this_duckdb_were_gone_through() -> None:
    """Those of another version may have a clock or a choice in them that nothing here knows of: look, then say so."""
    assert duckdb.__version__.startswith("2.0.")


def test_what_is_cut_is_cut_where_it_was_asked(pool: Pool) -> None:
    """The rows that are looked at beyond LIMIT and OFFSET are in no answer."""
    found = pool.submit("SELECT sequence FROM decisions ORDER BY sequence LIMIT 1 OFFSET 1").result()
    beyond = pool.submit("SELECT sequence FROM decisions ORDER BY sequence LIMIT 7 OFFSET 2").result()

    assert found.content.endswith(b'"rows":[[2]]}')
    assert beyond.content.endswith(b'"rows":[[3]]}')
