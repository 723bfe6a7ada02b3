"""What an import says of rows that contradict others."""

from pathlib import Path

from tests.harness import bench

ASKED = {
    "kind": "allocation",
    "date": "2026-03-01",
    "destination": "AE",
    "consignee": "ALPHA",
    "chip": "H100",
    "quantity": 1,
}


def test_a_row_is_named_where_no_record_may_come_of_it(tmp_path: Path) -> None:
    """A reference used twice in a file points to the row there, one that is recorded already to the record."""
    with bench(tmp_path) as made:
        made.register("parties", {"party": "ALPHA", "name": "Alpha", "headquarters": "AE"})
        made.submit("p", ASKED | {"reference": "old"})
        rows = [ASKED | {"reference": name, "quantity": n} for n, name in enumerate(("a", "b", "b", "old"), 2)]
        answers = made.submit("p", *rows, skip_invalid=False)

    assert [(answer["row"], answer["code"]) for answer in answers] == [(3, "reference-reused"), (4, "reference-reused")]
    assert 'found "b" with other content than row 2 that was filed' in str(answers[0]["message"])
    assert 'found "old" with other content than the record 1 that was filed' in str(answers[1]["message"])
