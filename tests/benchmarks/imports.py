"""Imports of the same records as Parquet and CSV, none refused and 30 percent, each beside a bare load of its file."""

import statistics
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks import measures
from tests.benchmarks.results import Result, progress
from tests.benchmarks.workload import figures, write_csv, write_records
from tests.harness import copy_ledger

_MIB_MOST: Final = {False: 1536, True: 2560}
"""What the budget allows of memory, for a large import and others."""


def measure_files(folder: Path, rows: int, *, runs: int, large: bool = False) -> list[Result]:
    """Measure imports of so many records, so many times each, in turn with bare loads of the same file."""
    files = {"Parquet": folder / "files.parquet", "CSV": folder / "files.csv"}
    measures.apart(write_records, files["Parquet"], rows, 0)
    measures.apart(write_csv, files["Parquet"], files["CSV"])
    floors = {
        form: statistics.median(measures.apart(measures.bare_load, file, folder) for _ in range(runs))
        for form, file in files.items()
    }
    results = []
    for refused in (False, True):
        base, path = folder / "files-base.duckdb", folder / "files.duckdb"
        measures.apart(partial(measures.found, figures=figures(rows, refused=refused)), base)
        for form, file in files.items():
            what = f"import of {rows:,} records, {form}, {'30 percent' if refused else 'none'} refused"
            progress(what)
            spent = []
            for _ in range(runs):
                copy_ledger(base, path)
                spent.append(measures.apart(measures.load, path, [file]))
            seconds, peaks = zip(*spent, strict=True)
            # The budget is for Parquet: reading CSV is the greater part of its own floor.
            must = 8 if form == "Parquet" else None
            results += [
                Result(what, statistics.median(seconds), "s", floors[form], must),
                Result("its peak of memory", max(peaks), "MiB", None, _MIB_MOST[large]),
            ]
    for file in (*files.values(), folder / "files.duckdb"):
        file.unlink()
    return results
