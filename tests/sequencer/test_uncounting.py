"""What is decided and not recorded leaves the accounts that a desk keeps as they were."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.rulebook.balances import Balances
from ledger.sequencer.importing import Asked, import_sheets
from ledger.store import read
from tests.harness import Answer, Bench, Row, bench, sheet
from tests.sequencer.test_against_oracle import ROWS_A_FILE, SLOW, STEPS, VARIANTS, Variant, play


class _Trying(Bench):
    """A bench on which every file is tried before it is recorded, with a row that cannot be read behind."""

    tried = 0

    def submit(
        self, provider: str, *rows: Row, skip_invalid: bool = True, dry_run: bool = False, asked: Asked | None = None
    ) -> list[Answer]:
        """Try, compare the accounts that the desk has kept with those that are read, and record."""
        desk = self.desk()
        for more, dry in (((), True), (({"reference": "no record"},), False)):
            result = import_sheets(desk, provider, [sheet([*rows, *more])], dry_run=dry)
            kept = desk._balances  # noqa: SLF001 -- if it were read instead, all would be well

            assert result.batch is None
            assert kept
            assert _sums(kept) == _sums(read.balances(self.ledger.connection, desk.codebook))
        self.tried += 1
        return super().submit(provider, *rows, skip_invalid=skip_invalid, dry_run=dry_run, asked=asked)


def _sums(balances: Balances) -> dict[tuple[object, ...], int]:
    """Give every account that holds something."""
    found: dict[tuple[object, ...], int] = {}
    for name, accounts in vars(balances).items():
        for key, value in accounts.items():
            inner = value.items() if isinstance(value, dict) else [(None, value)]
            found |= {(name, key, place): tpp for place, tpp in inner if tpp}
    return found


@settings(deadline=None, suppress_health_check=SLOW, max_examples=20)
@given(st.sampled_from(VARIANTS), STEPS, ROWS_A_FILE)
def test_accounts_are_as_before_a_request_that_is_not_recorded(variant: Variant, steps: Any, rows_a_file: int) -> None:
    """Whatever a rejected or tried file has in it, the accounts handed back are those of the ledger."""
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder), **dict(variant.amendments)) as made:
        trying = _Trying(made.ledger)
        play(trying, variant, steps, rows_a_file)

        assert trying.tried >= sum(not isinstance(what, dict) for _, what in steps)
