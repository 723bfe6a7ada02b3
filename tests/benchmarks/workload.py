"""The generated records that are measured: a provider's allocations and deliveries, the same for the same seed."""

import csv
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PARTIES: Final = 300
_PLACES: Final = ("AE", "SA", "IN", "MY", "ID", "SG", "BR", "MX", "TH", "VN", "IL", "PL", "TW", "US")
_CHIPS: Final = ("H100", "H20", "GB300", "MI300X")
_DELIVERED = 0.2
"""A fifth of the records are deliveries, the others allocations; about a third of these is refused."""
_QUANTITY_MAX: Final = 6
_DAYS: Final = 700


def write_parties(path: Path) -> None:
    """Write a file of parties, with headquarters in as many countries as the records have."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("party", "name", "headquarters"))
        writer.writerows((f"P{n:03d}", f"Party {n}", _PLACES[n % len(_PLACES)]) for n in range(PARTIES))


def write_records(path: Path, rows: int, seed: int, naming: float = 0) -> None:
    """Write a Parquet file of so many records; files of other seeds have other references.

    `naming` is the part of the deliveries that name an allocation before them.
    """
    random = np.random.default_rng(seed)
    number = np.arange(rows)
    delivery = random.random(rows) < _DELIVERED
    namers = np.flatnonzero(delivery & (random.random(rows) < naming))
    allocations = np.flatnonzero(~delivery)
    before = np.searchsorted(allocations, namers)
    namers, before = namers[before > 0], before[before > 0]
    under = np.full(rows, -1)
    under[namers] = allocations[(before * random.random(len(namers))).astype(np.int64)]
    named = under >= 0
    reference = np.char.add(f"{seed}-", np.char.zfill(number.astype(str), 8))
    days = np.datetime64("2025-01-01") + np.sort(random.integers(0, _DAYS, rows))
    columns = {
        "reference": pa.array(reference),
        "kind": pa.array(np.where(delivery, "delivery", "allocation")),
        "date": pa.array(days.astype("datetime64[D]")),
        "destination": pa.array(np.array(_PLACES)[random.integers(0, len(_PLACES), rows)], mask=named),
        "consignee": pa.array(
            np.char.add("P", np.char.zfill(random.integers(0, PARTIES, rows).astype(str), 3)), mask=named
        ),
        "chip": pa.array(np.array(_CHIPS)[random.integers(0, len(_CHIPS), rows)], mask=named),
        "quantity": pa.array(random.integers(1, _QUANTITY_MAX, rows)),
        "under": pa.array(reference[under], mask=~named),
    }
    pq.write_table(pa.table(columns), path)


def one_record(seed: int) -> dict[str, str]:
    """Give one more record, as texts."""
    random = Random(seed)  # noqa: S311 -- a workload, not a secret
    return {
        "reference": f"one-{seed}",
        "kind": "allocation",
        "date": "2026-03-01",
        "destination": random.choice(_PLACES),
        "consignee": f"P{random.randrange(PARTIES):03d}",
        "chip": "H100",
        "quantity": "1",
    }
