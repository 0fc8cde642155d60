"""The description of this API, as /openapi.json has it: what FastAPI makes of the code, and what it cannot know."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from common import settings
from common.version import VERSION
from functions.core_api.shapes.base import ProblemShape

Json = dict[str, Any]

ABOUT = """Incidents, events, metrics and AI jobs of one organisation: the one whose access token you send as
`Authorization: Bearer sct_…`. Another organisation's ids are 404.

Lists are pages: `limit` (1 to 200) and `cursor`, which is `next` of the page before. Wherever there is `environment`,
`env` means the same. A parameter or value we do not know is 422, never ignored. Every error is problem+json (RFC 9457)
with a stable `code`. Every answer has an `X-Request-Id`: yours, if you sent one. Actions are POSTs, and done twice is
done once; what the present state does not allow is 409 and says what that state is."""

REFUSALS = {
    "400": "The body is not JSON.",
    "401": "No access token, or one that is not valid.",
    "403": "The token's role does not allow this.",
    "404": "There is no such thing in your organisation.",
    "409": "The present state does not allow this.",
    "413": "The body is larger than six megabytes.",
    "422": "A parameter or value that is not understood.",
    "429": "Too many reads at a time, or too many unknown tokens from here; see Retry-After.",
    "503": "A store does not answer in time; see Retry-After.",
}
# Of each, the code an example shows.
CODES = {
    "400": "bad_json",
    "401": "unknown_token",
    "403": "not_allowed",
    "404": "not_found",
    "409": "already_resolved",
    "413": "too_large",
    "422": "unknown_parameter",
    "429": "too_many_reads",
    "503": "unavailable",
}
NOT_MODIFIED = {"description": "What you named in If-None-Match is still current."}


def of(app: FastAPI) -> Json:
    """OpenAPI 3.1, every answer described, with an example each."""
    document = get_openapi(title="Signals Copilot", version=VERSION, description=ABOUT, routes=app.routes)
    schemas = document["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = ProblemShape.model_json_schema()
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    roles = {(path, method): role for path, method, role in _roles(app)}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(operation, path, method, roles.get((path, method)))
            _give_examples(operation, schemas)
    return document


def _roles(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    for route in app.routes:
        if isinstance(route, APIRoute):
            for one in route.dependant.dependencies:
                if role := getattr(one.call, "role", ""):
                    yield from ((route.path_format, method.lower(), role) for method in route.methods or ())


def _complete(operation: Json, path: str, method: str, role: str | None) -> None:
    answers = operation["responses"]
    answers.pop("422", None)
    for status in _refusals(operation, path, method, role):
        answers.setdefault(status, _problem(REFUSALS[status]))
    if role:
        operation["security"] = [{"token": []}]
        operation["x-role"] = role
        operation["description"] = f"{operation['description']}\n\nRole: {role}."
    if role and method == "get":
        answers["304"] = NOT_MODIFIED
    for answer in answers.values():
        answer["headers"] = {"X-Request-Id": {"schema": {"type": "string"}}, **answer.get("headers", {})}
    for parameter in operation.get("parameters", []):
        _sharpen(parameter)


def _refusals(operation: Json, path: str, method: str, role: str | None) -> list[str]:
    """Which of them this operation can answer."""
    if role is None:
        return ["503"] if path == "/readyz" else []
    names = {one["name"] for one in operation.get("parameters", [])}
    found = ["401", "422", "429", "503"]
    found += ["403"] if role != "viewer" else []
    found += ["404"] if names & {"id", "project_id"} else []
    found += ["400", "413"] if "requestBody" in operation else []
    found += ["409"] if method == "post" else []
    return found


def _problem(meaning: str) -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": meaning, "content": {"application/problem+json": {"schema": schema}}}


def _sharpen(parameter: Json) -> None:
    """An absent parameter is not one that reads null; and environments are those of this installation."""
    schema = parameter["schema"]
    if "anyOf" in schema:
        [kind] = [one for one in schema.pop("anyOf") if one != {"type": "null"}]
        schema |= kind
    if parameter["name"] == "environment":
        schema["enum"] = list(settings.current().environments)


def _give_examples(operation: Json, schemas: Json) -> None:
    for status, answer in operation["responses"].items():
        for kind, content in answer.get("content", {}).items():
            example = _example(content["schema"], schemas)
            if kind == "application/problem+json":
                title = HTTPStatus(int(status)).phrase
                example = {"title": title, "status": int(status), "code": CODES[status], "detail": REFUSALS[status]}
            content["example"] = example
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["example"] = _example(content["schema"], schemas)


def _example(schema: Json, schemas: Json) -> Any:
    """Made of the examples of its parts."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            return _example(schema[alternatives][0], schemas)
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "array":
        return [_example(schema["items"], schemas)]
    if schema.get("type") == "object":
        return {name: _example(one, schemas) for name, one in schema.get("properties", {}).items()}
    return {"string": "ok", "integer": 0}.get(schema.get("type", ""))
