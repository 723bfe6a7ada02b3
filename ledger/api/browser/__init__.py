"""The page `/sql`: an editor, answers as table and chart, the data dictionary, examples, and nothing from elsewhere.

The page itself asks nobody: it is the same for everyone. What it shows comes from `POST /v1/sql`, with the key that is
put in, which stays in the tab. `ask.js` asks, `table.js` and `chart.js` show what comes back, `dictionary.js` the side.
"""

from dataclasses import asdict
from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from ledger.api.problems import NotFound
from ledger.api.rendering import answer
from ledger.store.dictionary import dictionary, questions

router = APIRouter(prefix="/sql", include_in_schema=False)

_TYPES: Final = {
    "page.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "ask.js": "text/javascript; charset=utf-8",
    "table.js": "text/javascript; charset=utf-8",
    "chart.js": "text/javascript; charset=utf-8",
    "dictionary.js": "text/javascript; charset=utf-8",
}
_HEADERS: Final = {
    # Only what this server has, no code in the page itself, and in no other page's frame: an answer is text of others.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"
        "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


@router.get("")
def get_page() -> Response:
    """Give the page."""
    return get_file("page.html")


@router.get("/dictionary")
def get_dictionary() -> Response:
    """Give what can be asked, and questions that are."""
    subjects = [
        {"subject": subject, "entries": [asdict(entry) for entry in entries]}
        for subject, entries in dictionary().items()
    ]
    return answer({"subjects": subjects, "questions": [asdict(one) for one in questions()]})


@router.get("/{name}")
def get_file(name: str) -> Response:
    """Give a file of the page."""
    if name not in _TYPES:
        raise NotFound("the page has no such file")
    content = (files("ledger.api.browser") / name).read_bytes()
    return Response(content, headers=_HEADERS, media_type=_TYPES[name])
