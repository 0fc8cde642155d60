"""The description as a page for people. It fetches nothing and runs nothing."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Any

import msgspec

Json = dict[str, Any]

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 2.5rem 0 0; font-size: 1.1rem; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8884; border-radius: 4px; }
summary { cursor: pointer; }
"""
_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'"


def of(document: Json) -> str:
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><h1>{title}</h1>{_prose(document['info']['description'])}"
        f'<p>For programs: <a href="openapi.json">openapi.json</a>.</p>{operations}</body></html>'
    )


def _operation(method: str, path: str, operation: Json) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return (
        f"<section><h2>{method.upper()} {escape(path)}</h2>{_prose(operation.get('description', ''))}"
        + _parameters(operation.get("parameters", []))
        + (f"<p>Body:</p>{_json(body['example'])}" if body else "")
        + "".join(_answer(status, answer) for status, answer in sorted(operation["responses"].items()))
        + "</section>"
    )


def _parameters(parameters: list[Json]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(_kind(one['schema']))}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for one in parameters
    )
    return f"<table><tr><th>Parameter</th><th>Values</th><th>Meaning</th></tr>{rows}</table>" if rows else ""


def _kind(schema: Json) -> str:
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    bounds = f" {schema['minimum']}-{schema['maximum']}" if "maximum" in schema else ""
    default = f", else {schema['default']}" if schema.get("default") else ""
    return f"{schema.get('format') or schema.get('type', '')}{bounds}{default}"


def _answer(status: str, answer: Json) -> str:
    example = next((content["example"] for content in answer.get("content", {}).values()), None)
    said = f"{escape(status)} {escape(answer['description'])}"
    if example is None or not status.startswith("2"):
        return f"<p>{said}</p>"
    return f"<details><summary>{said}</summary>{_json(example)}</details>"


def _json(value: Any) -> str:
    return f"<pre>{escape(msgspec.json.format(msgspec.json.encode(value)).decode())}</pre>"


def _prose(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n") if part)
