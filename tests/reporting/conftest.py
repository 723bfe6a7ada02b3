"""The ledger that tests of pages share."""

from collections.abc import Iterator

import pytest

from ledger.sequencer.importing import import_sheets, record_sheet
from ledger.sequencer.registering import register_file, register_sheet
from ledger.store.file import LedgerFile
from ledger.store.seeds import seed_bytes
from tests.harness import bench


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerFile]:
    """A ledger of the sample records."""
    with bench(tmp_path_factory.mktemp("sample")) as made:
        parties = seed_bytes("samples", "announced", "parties.csv")
        register_sheet(made.desk(), "parties", register_file("parties", "parties.csv", parties))
        records = seed_bytes("samples", "announced", "records.csv")
        import_sheets(made.desk(), "press", [record_sheet("records.csv", records)])
        yield made.ledger
