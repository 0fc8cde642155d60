"""The model's answer: exactly our JSON, or a reason why it is none; nothing is filled in and nothing is cut."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"\S")]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]*\S")]
    impact: Annotated[str, StringConstraints(min_length=1, max_length=800, pattern=r"\S")]
    likely_causes: Annotated[list[Sentence], Field(min_length=1, max_length=6)]
    evidence: Annotated[list[Sentence], Field(min_length=1, max_length=12)]
    next_steps: Annotated[list[Sentence], Field(min_length=1, max_length=8)]
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Flawed(Exception):
    """An answer that is none: a failed attempt with its own reason."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


UNFINISHED = {"length": "truncated", "content_filter": "filtered"}
CODES = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "empty_field",
    "too_short": "empty_field",
    "string_pattern_mismatch": "empty_field",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "finite_number": "out_of_range",
}


def read(text: str, finish_reason: str) -> Answer:
    """Raises Flawed."""
    if finish_reason != "stop":
        raise Flawed(
            UNFINISHED.get(finish_reason, "unfinished"), f"the model stopped because of {finish_reason[:40]!r}"
        )
    value = _json(text.strip())
    if not isinstance(value, dict):
        raise Flawed("not_an_object", "the answer is JSON, but no object")
    try:
        answer = Answer.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Flawed(CODES.get(first["type"], "wrong_type"), f"{_place(first['loc'])}: {first['msg']}") from None
    if any(one in answer.title for one in "\n\r"):
        raise Flawed("not_plain", "title: more than one line")
    return answer


def _place(loc: tuple[int | str, ...]) -> str:
    """Never a name the model made up: it could be an event's text, and people read reasons."""
    return ".".join(str(part) for part in loc if isinstance(part, int) or part in Answer.model_fields) or "a field"


def _json(text: str) -> Any:
    if not text:
        raise Flawed("empty", "the answer is empty")
    if text.startswith("```"):
        raise Flawed("fenced", "the answer stands between fences")
    if not text.startswith(("{", "[")):
        raise Flawed("prose", "the answer begins with prose" if "{" in text else "the answer is prose")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise Flawed("prose", "something follows the JSON") from None
        raise Flawed("broken_json", f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise Flawed("broken_json", "nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two values is meant, nobody knows."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise Flawed("repeated_field", "a field stands there twice")
    return dict(pairs)


def _no_constant(name: str) -> float:
    raise Flawed("out_of_range", f"{name} is no number")
