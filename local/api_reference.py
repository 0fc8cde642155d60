"""docs/reference/api.md, made from the API's own description: `python -m local.api_reference` asks the running one."""

import sys
from typing import Any

import httpx

from local import state

PAGE = state.ROOT / "docs/reference/api.md"
INTRODUCTION = """# The API

Made from the description that core_api publishes at `/openapi.json`; `/docs` shows it as a page, with an example of
every answer. `python -m local.api_reference` writes this file from the running stack.

"""

Json = dict[str, Any]


def page(document: Json) -> str:
    operations = [
        _operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return "\n".join([f"{INTRODUCTION}{document['info']['description']}\n", *operations])


def _operation(method: str, path: str, operation: Json) -> str:
    lines = [f"## {method.upper()} {path}", "", operation["description"], ""]
    lines += [_parameter(one) for one in operation.get("parameters", []) if one["in"] == "query"]
    if body := operation.get("requestBody"):
        name = _name(body["content"]["application/json"]["schema"])
        lines.append(f"- body: `{name}`")
    lines.append(f"- answers: {', '.join(sorted(operation['responses']))}")
    return "\n".join(lines) + "\n"


def _parameter(one: Json) -> str:
    kind = _kind(one["schema"])
    return f"- `{one['name']}`{f' ({kind})' if kind else ''}: {one.get('description', '')}"


def _kind(schema: Json) -> str:
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "maximum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}, else {schema['default']}"
    return "a time" if schema.get("format") == "date-time" else ""


def _name(schema: Json) -> str:
    [ref] = [one["$ref"] for one in (schema, *schema.get("anyOf", [])) if "$ref" in one]
    return str(ref.rpartition("/")[2])


def main() -> int:
    address = state.read_env()["CORE_API_URL"]
    PAGE.write_text(page(httpx.get(f"{address}/openapi.json").raise_for_status().json()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
