"""Every reason an event can be refused, and how the decoder's own words become one of them."""

import re

from common.errors import Problem
from common.events.limits import MAX_DEPTH

# What a caller can be told, with its rule. The table in docs/reference/events.md is this one.
CODES = {
    "malformed": "is not JSON",
    "required": "is required",
    "unknown_field": "is not a field of an event: put it in attributes or payload",
    "wrong_type": "has the wrong type",
    "not_allowed": "must be one of the values allowed",
    "empty": "is empty",
    "too_long": "is too long",
    "out_of_range": "is outside its range",
    "invalid_id": "is not a UUID",
    "invalid_time": "is not an RFC 3339 time such as 2025-01-15T10:00:00Z",
    "time_without_offset": "has no offset: end it with Z or +hh:mm",
    "leap_second": "is a leap second, which clocks do not count: send second 59",
    "time_out_of_range": "is outside the years 1 to 9999 in UTC",
    "nul": "holds the character U+0000",
    "invalid_utf8": "is not UTF-8",
    "lone_surrogate": "holds half of a surrogate pair",
    "integer_out_of_range": "is an integer beyond 64 bits: send it as text",
    "number_out_of_range": "is a number beyond a double: send it as text",
    "not_a_number": "is NaN or Infinity, for which JSON has no word",
    "too_deep": f"nests more than {MAX_DEPTH} arrays and objects",
    "too_large": "is too large",
    "too_many": "has too many events",
}
STATUS = {"malformed": 400, "too_large": 413, "too_many": 413}  # the others are 422

# What the decoder says, the code it gets, and the rule the caller reads (None: the code's). The first that fits.
TOLD = (
    (r"Object missing required field `(.*)`", "required", None),
    (r"Object contains unknown field `(.*)`", "unknown_field", None),
    (r"Expected `str` of length >= 1", "empty", None),
    (r"Expected `str` of length <= (\d+)", "too_long", "is too long: at most {0} characters"),
    (r"Expected `str` matching regex '(.*)'", "not_allowed", "must match {0}"),
    (r"Expected `int` ([<>]=) (-?\d+)", "out_of_range", "is outside its range: it must be {0} {1}"),
    (r"Expected `datetime` with a timezone component", "time_without_offset", None),
    (r"Expected `(.*)`, got `(.*)`", "wrong_type", "must be {0}, not {1}"),
    (r"Invalid enum value .*", "not_allowed", None),
    (r"Invalid UUID", "invalid_id", None),
    (r"Invalid RFC3339 encoded datetime", "invalid_time", None),
)
WORDS = {
    "str": "text",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "an array",
    "datetime": "a time as text",
    "uuid": "a UUID as text",
}

_PATH = r"(?s)(.*) - at (?:`key` in )?`\$\.?(.*?)`"  # the last one: a value may hold the like
_LONGEST_NAME = 200


def problem(code: str, field: str | None, rule: str | None = None) -> Problem:
    """The refusal as its caller reads it: `message is too long: at most 8192 characters.`"""
    field = field and (field if len(field) <= _LONGEST_NAME else field[:_LONGEST_NAME] + "…")
    detail = f"{field or 'The event'} {rule or CODES[code]}."
    return Problem(code, detail, status=STATUS.get(code, 422), field=field)


def told(message: str, prefix: str = "") -> Problem:
    """The decoder's `Expected `str` of length <= 16 - at `$.method`` as a refusal of `attributes.method`."""
    path = None if message.startswith("Object contains unknown field") else re.fullmatch(_PATH, message)
    what, field = (path[1], path[2]) if path else (message, "")
    return _said(what, ".".join(filter(None, (prefix, field))))


def told_of(message: str, field: str) -> Problem:
    """The same where the decoder does not know the field's name, and we do."""
    path = re.fullmatch(_PATH, message)
    return _said(path[1] if path else message, field)


def _said(what: str, field: str) -> Problem:
    for says, code, rule in TOLD:
        if found := re.fullmatch(says, what, re.DOTALL):
            if code in ("required", "unknown_field"):
                field = f"{field}.{found[1]}" if field else found[1]
            words = [_in_words(word) for word in found.groups()]
            return problem(code, field or None, rule and rule.format(*words))
    return problem("malformed", None, f"cannot be read: {what}")


def _in_words(types: str) -> str:
    """`bool | int | null` as a person says it."""
    return " or ".join(WORDS.get(name, name) for name in types.split(" | "))
