"""The pages of the API for a browser: plain, made of the OpenAPI document, and with nothing from elsewhere."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2530}
h2{margin-top:2.5rem;border-bottom:1px solid #ccd}code,pre{background:#f2f4f7;border-radius:4px}
code{padding:.1em .3em}pre{padding:.8rem;overflow:auto}
td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}
.method{font-weight:700;color:#0a5}
"""


def page(title: str, body: str) -> str:
    """Give a page; `body` is HTML."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1>{body}</html>"
    )


def overview(document: Mapping[str, Any]) -> str:
    """Give a page of every call in an OpenAPI document: what it does, what it takes, and how to make it with curl."""
    calls = [
        _call(document, path, method, call)
        for path, methods in document["paths"].items()
        for method, call in methods.items()
    ]
    intro = (
        "<p>Send a key with every call: <code>Authorization: Bearer KEY</code>. Amounts in TPP are decimal strings."
        ' Whatever goes wrong is answered as problem details (RFC 9457). <a href="/openapi.json">openapi.json</a></p>'
    )
    return page(f"quotaledger {document['info']['version']}: the import API", intro + "".join(calls))


def _call(document: Mapping[str, Any], path: str, method: str, call: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(given['name'])}</code><td>{given['in']}{', required' if given.get('required') else ''}"
        f"<td>{escape(given.get('description', ''))}"
        for given in call.get("parameters", ())
    )
    said = [
        f'<h2><span class="method">{method.upper()}</span> {escape(path)}</h2>',
        f"<p>{escape(call.get('description', ''))}</p>",
        f"<table>{rows}</table>" if rows else "",
        f"<pre>{escape(curl(document, path, method, call))}</pre>",
    ]
    return "".join(said)


def curl(document: Mapping[str, Any], path: str, method: str, call: Mapping[str, Any]) -> str:
    """Give the call as curl makes it, with an example of what it takes."""
    required = [given for given in call.get("parameters", ()) if given.get("required") and given["in"] == "query"]
    query = "&".join(f"{given['name']}={given['name'].upper()}" for given in required)
    parts = ["curl", '-H "Authorization: Bearer $KEY"'] if "security" in call else ["curl"]
    if method != "get":
        parts.append(f"-X {method.upper()}")
    content = call.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        example = json.dumps(_example(document, content["application/json"]["schema"]))
        parts += ['-H "Content-Type: application/json"', f"-d '{example}'"]
    elif content:
        parts += [
            f'-H "Content-Type: {next(iter(content))}"',
            f"--data-binary @{'parties' if 'register' in path else 'records'}.csv",
        ]
    return " ".join([*parts, f'"$SERVER{path}{"?" + query if query else ""}"'])


def _example(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """Give the example of a shape: of an object, that of each field that it must have."""
    if "$ref" in schema:
        return _example(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "examples" in schema:
        return schema["examples"][0]
    if "properties" in schema:
        wanted = schema.get("required") or schema["properties"]
        return {name: _example(document, schema["properties"][name]) for name in wanted}
    return {"integer": 1, "number": 1.0, "boolean": False}.get(schema.get("type", ""), "...")
