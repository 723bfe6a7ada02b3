"""A ledger with something in every table, sealed and closed, for tests of what verifying it finds."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ledger.core.errors import VerificationFailed
from ledger.sequencer.adopting import adopt
from ledger.sequencer.importing import Asked, import_sheets
from ledger.sequencer.verifying import verify
from ledger.store.claims import FAILED, MADE, Run
from ledger.tlog.note import VerifierKey
from tests.harness import Bench, Row, amended, bench, sheet

_FOLDER = TemporaryDirectory(prefix="quotaledger-sealed-")
"""Goes when the tests end."""

PARTIES = (
    {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"},
    {"party": "USCO", "name": 'The "US" Co', "headquarters": "US"},
    {"party": "SUB", "name": "Sub", "headquarters": "AE", "parent": "ALPHA"},
)

ALLOCATION = {"kind": "allocation", "date": "2026-03-01", "destination": "AE", "consignee": "ALPHA", "chip": "H100"}

ODD = 'say "ä\\" \U0001f600\ttab'
FORGERY = "UPDATE entry SET quantity = quantity + 1, stated_quantity = stated_quantity + 1 WHERE sequence = 4"
"""One more chip, in both columns that say so: what a forger changes first."""


def _fill(made: Bench) -> None:
    """Record something in every table, with an adoption and register rows between records."""
    made.register("parties", *PARTIES)
    made.register("authorizations", {"party": "USCO", "basis": "UVEU", "valid_from": "2025-02-01", "citation": "x"})
    made.register("assurances", {"destination": "AE", "uplift_percent": "10", "valid_from": "2025-01-01"})
    made.register(
        "chips", {"chip": "OWN", "name": "Own", "vendor": "V", "tpp": "100", "class": "3A090.a", "source": "s"}
    )
    many = [ALLOCATION | {"reference": f"m{n}", "quantity": 1 + n % 7, "note": ODD} for n in range(300)]
    made.submit("many", *many)
    adopt(made.desk(), amended(country_cap_tpp="1_500_000", lpp_annual_tpp="320_000"), "smaller")
    desk = made.desk()
    first: list[Row] = [
        ALLOCATION | {"reference": "a", "quantity": 9, "license_number": "L", "expires": "2027-01-01", "exporter": "E"},
        ALLOCATION | {"reference": "b", "quantity": 10**6, "evidence": "e", "site": "s", "basis": "LICENSE"},
    ]
    second: list[Row] = [
        {"reference": "d", "kind": "delivery", "date": "2026-03-05", "quantity": 4, "under": "a"},
        ALLOCATION | {"reference": "f", "kind": "delivery", "quantity": 900, "consignee": "USCO", "destination": "SA"},
        {"reference": "l", "kind": "lapse", "date": "2026-03-06", "quantity": 2, "under": "a"},
        {"reference": "t", "kind": "attrition", "date": "2026-04-06", "quantity": 2, "under": "d"},
        {"reference": "u", "kind": "reversal", "date": "2026-04-07", "under": "t", "note": "wrong"},
        ALLOCATION | {"reference": "x", "quantity": 1, "chip": "unknown"},
    ]
    import_sheets(desk, "p", [sheet(first, "first"), sheet(second, "second")], skip_invalid=True)
    made.register("parties", PARTIES[2] | {"parent": "USCO"})
    again = ALLOCATION | {"reference": "a", "quantity": 3, "consignee": "SUB"}
    made.submit("q", again, again, asked=Asked("r1", "0" * 64, "order 1"))
    made.report("lpp-annual", "2025", Run(FAILED, 5, reason=f"for {ODD}"))
    made.report("lpp-annual", "2025", Run(MADE, 7, "ab" * 32), holder="another")


@cache
def sealed_ledger() -> Path:
    """Make the ledger, once in a process."""
    folder = Path(_FOLDER.name)
    with bench(folder) as filled:
        _fill(filled)
    return folder / "ledger.duckdb"


def fails(path: Path, *keys: VerifierKey, deep: bool = False) -> str:
    """Verify a ledger that is not what was sealed, and give what is said of it."""
    with pytest.raises(VerificationFailed) as raised:
        verify(path, keys, deep=deep)
    return str(raised.value)
