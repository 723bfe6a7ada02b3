"""Answers of the ledger as the API's JSON has them: amounts as decimal strings, days and instants as text."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from ledger.sequencer.assessing import Assessment, Tested
from ledger.store.outputs import plain
from ledger.store.requests import Answered


def json_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row as JSON: whole numbers of columns whose name ends in tpp as decimal strings."""
    return {
        name: str(value) if isinstance(value, int) and name.endswith("tpp") else plain(value)
        for name, value in values.items()
    }


def answer(values: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Answer with what is JSON already."""
    return JSONResponse(values, status, headers)


def limits_of(tested: tuple[Tested, ...], caller_sees: Any) -> list[dict[str, Any]]:
    """Give the limits that were tested; of the records that weighed most, those that the caller may see."""
    said = []
    for limit in tested:
        own = [weight for weight in limit.heaviest if caller_sees(weight["provider"])]
        said.append(
            {
                "limit_id": limit.limit_id,
                "title": limit.title,
                "account": limit.account,
                "observed_tpp": str(limit.observed_tpp),
                "most_tpp": str(limit.most_tpp),
                "left_tpp": str(limit.left_tpp),
                "exceeded": limit.exceeded,
                "citation": limit.citation,
                "weighed": [
                    json_of({name: weight[name] for name in ("sequence", "reference", "kind", "date", "tpp")})
                    for weight in own
                ],
                "rest_tpp": str(limit.observed_tpp - sum(weight["tpp"] for weight in own)),
            }
        )
    return said


def assessment_of(made: Assessment, caller_sees: Any) -> dict[str, Any]:
    """Give an assessment."""
    return json_of(made.decision) | {"limits": limits_of(made.limits, caller_sees)}


def import_of(found: Answered) -> dict[str, Any]:
    """Give an import that was recorded."""
    return {
        "id": found.request,
        "state": "done",
        "provider": found.provider,
        "dry_run": False,
        "progress": None,
        "batch": found.batch,
        "recorded_at": plain(found.recorded_at),
        **found.counts,
        "token": None,
        "problem": None,
        "decisions": f"/v1/imports/{found.request}/decisions",
    }
