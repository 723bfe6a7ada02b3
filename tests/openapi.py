"""`schemas/openapi.json`, the OpenAPI document of the import API; `make docs` writes it."""

import json
from pathlib import Path

from ledger.api.app import routes


def document() -> str:
    """Give the document as the file has it."""
    return json.dumps(routes().openapi(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent.parent / "schemas/openapi.json").write_text(document(), encoding="utf-8")
