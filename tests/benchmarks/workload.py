"""The generated records that are measured: a provider's allocations and deliveries, the same for the same seed."""

import csv
from pathlib import Path
from random import Random
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PARTIES: Final = 300
_PLACES: Final = ("AE", "SA", "IN", "MY", "ID", "SG", "BR", "MX", "TH", "VN", "IL", "PL", "TW", "US")
_CHIPS: Final = ("H100", "H20", "GB300", "MI300X")
_DELIVERED = 0.2
"""A fifth of the records are deliveries, the others allocations; `figures` says how many of these are refused."""
_QUANTITY_MAX: Final = 6
_DAYS: Final = 700
_AT_ONCE: Final = 1_000_000
"""So many rows are made at a time: a file of any length takes the same memory."""
_LPP_A_RECORD: Final = 27
_CAP_A_RECORD: Final = {True: 940, False: 100_000}
"""TPP of each country's cap for each record of the import; with the smaller one 30 percent are refused."""


def figures(rows: int, *, refused: bool) -> dict[str, str]:
    """Give the figures under which 30 percent of so many records are refused, or none, however many there are.

    They grow with the records, so that an import of ten times as many decides each of them by the same limits. What is
    licensed and what needs no licence is the same in both: nothing differs but what the country caps say.
    """
    return {
        "country_cap_tpp": str(rows * _CAP_A_RECORD[refused]),
        "lpp_annual_tpp": str(rows * _LPP_A_RECORD),
    }


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
    writer: pq.ParquetWriter | None = None
    for start in range(0, rows, _AT_ONCE):
        part = _part(random, seed, start, min(_AT_ONCE, rows - start), rows, naming)
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    assert writer, "a file has at least one record"
    writer.close()


def write_csv(parquet: Path, path: Path) -> None:
    """Write the same records as CSV."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM '{parquet}') TO '{path}' (FORMAT csv, HEADER)")


def _part(random: np.random.Generator, seed: int, start: int, count: int, rows: int, naming: float) -> pa.Table:
    """Give some of the records: their dates follow those before them."""
    number = np.arange(start, start + count)
    delivery = random.random(count) < _DELIVERED
    namers = np.flatnonzero(delivery & (random.random(count) < naming))
    allocations = np.flatnonzero(~delivery)
    before = np.searchsorted(allocations, namers)
    namers, before = namers[before > 0], before[before > 0]
    under = np.full(count, -1)
    under[namers] = allocations[(before * random.random(len(namers))).astype(np.int64)]
    named = under >= 0
    reference = np.char.add(f"{seed}-", np.char.zfill(number.astype(str), 8))
    first, end = _DAYS * start // rows, _DAYS * (start + count) // rows
    days = np.datetime64("2025-01-01") + np.sort(random.integers(first, end, count))
    columns = {
        "reference": pa.array(reference),
        "kind": pa.array(np.where(delivery, "delivery", "allocation")),
        "date": pa.array(days.astype("datetime64[D]")),
        "destination": pa.array(np.array(_PLACES)[random.integers(0, len(_PLACES), count)], mask=named),
        "consignee": pa.array(
            np.char.add("P", np.char.zfill(random.integers(0, PARTIES, count).astype(str), 3)), mask=named
        ),
        "chip": pa.array(np.array(_CHIPS)[random.integers(0, len(_CHIPS), count)], mask=named),
        "quantity": pa.array(random.integers(1, _QUANTITY_MAX, count)),
        "under": pa.array(reference[under], mask=~named),
    }
    return pa.table(columns)


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
