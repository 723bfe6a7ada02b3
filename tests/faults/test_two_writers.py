"""Several processes that record at once: one has the ledger, the others are told who, and nothing is lost."""

from collections.abc import Callable
from pathlib import Path

from tests.cli.command import HEADER
from tests.faults.audit import audit
from tests.faults.forked import Forked
from tests.faults.ground import fresh, said
from tests.faults.kills import recorded
from tests.faults.tally import Tally

_WRITERS, _ROUNDS = 3, 4


def test_one_of_several_writers_holds_the_ledger(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Of processes that record at once each either records all of its own or is told, with exit code 4, who has it."""
    ledger = fresh(tmp_path)
    expected: set[str] = set()
    held = 0
    for turn in range(_ROUNDS):
        running = []
        for writer in range(_WRITERS):
            mine = {f"{turn}-{writer}-{number}" for number in range(300)}
            rows = "".join(f"{reference},allocation,2026-03-01,AE,ALPHA,H100,1\n" for reference in sorted(mine))
            file = ledger.write(f"{turn}-{writer}.csv", f"{HEADER}\n{rows}")
            outputs = tmp_path / f"writer-{writer}"
            outputs.mkdir(exist_ok=True)
            words = ("--ledger", ledger.path, "import", file, "--provider", "prov")
            running.append((mine, Forked.start(outputs, *words)))
        pids = {str(forked.process.pid) for _, forked in running}
        for mine, forked in running:
            ran = forked.end(300)
            if ran.code == 0:
                expected |= mine
            else:
                sentence = said(ran)
                held += 1
                assert ran.code == 4
                assert "only one process at a time" in sentence
                assert [pid for pid in pids if f"held by process {pid} " in sentence]

        assert recorded(ledger, "prov") == expected
        assert audit(ledger.path) == []

    assert expected
    Tally(record_property).add("several writers at once", "refused", held)
