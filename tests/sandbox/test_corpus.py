"""What hostile and careless people ask, each on the real processes: `corpus.toml` says what becomes of it."""

import hashlib
import os
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.core.errors import WrongUsage
from ledger.sandbox.pool import Pool, QueryStopped
from ledger.sandbox.running import Limits
from tests.sandbox.page import ATTACKS, PAGE, page
from tests.sandbox.published import Published, published

_LIMITS = Limits(rows=1_000, bytes=1 << 20, seconds=2, memory=300 << 20)
_LONG = {
    "DEEP": f"SELECT {'(' * 20_000}1{')' * 20_000}",
    "LONG": f"SELECT '{'x' * 1_000_000}' AS x",
    "WIDE": f"SELECT {', '.join('1' for _ in range(10_000))}",
}


@pytest.fixture(scope="module", name="copy")
def _copy(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A copy in a folder with a secret beside it."""
    made = published(tmp_path_factory.mktemp("hidden-folder"))
    (made.path.parent / "secrets.csv").write_text("secret\nhidden-secret\n")
    return made


@pytest.fixture(scope="module", name="pool")
def _pool(copy: Published) -> Iterator[Pool]:
    os.environ["HIDDEN_VARIABLE"] = "hidden-value"
    made = Pool(copy.path, _LIMITS, workers=2)
    yield made
    made.close()
    del os.environ["HIDDEN_VARIABLE"]


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    """A corpus that shrinks is noticed, and the page has all of it: `make docs`."""
    assert len({attack["name"] for attack in ATTACKS}) == len(ATTACKS) >= 100
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack["name"])
def test_it_hurts_nobody_and_tells_nothing(copy: Published, pool: Pool, attack: dict[str, Any]) -> None:
    """As expected; nothing is written, no path or secret told, and the next query is answered right."""
    before = hashlib.sha256(copy.path.read_bytes()).hexdigest(), sorted(copy.path.parent.iterdir())
    query = _LONG.get(attack["query"], attack["query"])
    try:
        became, said = "answered", pool.submit(query).result().content.decode()
    except WrongUsage as error:
        became, said = "refused", str(error)
    except QueryStopped as error:
        became, said = "stopped", str(error)
    after = hashlib.sha256(copy.path.read_bytes()).hexdigest(), sorted(copy.path.parent.iterdir())

    assert became in attack["expected"].split(" or "), said
    assert attack.get("says", "") in said
    assert not [word for word in ("hidden-", str(copy.path.parent), "Traceback", "site-packages") if word in said]
    assert before == after
    assert pool.submit("SELECT count(*) AS n FROM decisions").result().content == copy.counted
