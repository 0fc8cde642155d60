"""What the stand-in says: a sensible answer made of the facts in the prompt, or one with a fault, by script."""

import json
import re
from collections.abc import Callable
from typing import Any

_FACT = re.compile(r"^F(\d+): (.*)$", re.MULTILINE)
_SUBJECT = re.compile(r"It is about (\w+)(?: with (.+))? in the environment (.+)\.")
_NAMED = re.compile(r"the (error code|route|service) (\S+?)(?:,|$)")
_EVENTS = re.compile(r"<events>\n(.*?)</events>", re.DOTALL)
Answer = dict[str, Any]


def answer(script: str, prompt: str) -> str:
    """The text of the message; an unknown script answers sensibly."""
    sensible = made_of({int(number): text for number, text in _FACT.findall(prompt)})
    if script == "obedient":
        return json.dumps(obedient(sensible, prompt))
    if script in TEXTS:
        return TEXTS[script](json.dumps(sensible))
    return json.dumps(VALUES[script](sensible) if script in VALUES else sensible)


def finish_reason(script: str) -> str:
    return {"truncated": "length", "filtered": "content_filter"}.get(script, "stop")


def made_of(facts: dict[int, str]) -> Answer:
    """Every number and name from a fact, every fact cited."""
    opening = _first(facts, "opened at")
    about = _first(facts, "It is about ")
    cause = next((number for number, text in facts.items() if "was deployed at" in text), None)
    what = _what(facts[about])
    evidence = [f"{facts[number].removesuffix('.')} [F{number}]." for number in dict.fromkeys((opening, about))]
    if cause:
        evidence.append(f"{facts[cause].removesuffix('.')} [F{cause}].")
        causes = [f"Probably what changed shortly before: {_small(facts[cause])}"]
        steps = ["Compare with the release before, and roll back if the new one is to blame."]
    else:
        causes = ["The facts do not show a cause; nothing is known to have been deployed shortly before."]
        steps = ["Look at what the failing calls depend on."]
    return {
        "title": f"{what}, after a deploy"[:120] if cause else what[:120],
        "impact": f"{what}. {facts[opening]}",
        "likely_causes": causes,
        "evidence": evidence,
        "next_steps": [*steps, "Look at the newest events of the incident."],
        "confidence": 0.6 if cause else 0.3,
    }


def _what(subject: str) -> str:
    """What goes wrong where, in the words of a person."""
    found = _SUBJECT.search(subject)
    noun, rest, environment = found.groups() if found else ("errors", "", "")
    named = dict(_NAMED.findall(rest or ""))
    if noun == "signups":
        return f"Signups dry up in {environment}"
    place = named.get("route") or named.get("service") or environment
    where = f"{place} in {environment}" if place != environment else environment
    return f"{named['error code']} on {where}" if "error code" in named else f"Errors on {where}"


def _first(facts: dict[int, str], words: str) -> int:
    return next((number for number, text in facts.items() if words in text), min(facts))


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def obedient(sensible: Answer, prompt: str) -> Answer:
    """It believes every event: whatever one says becomes title, impact, cause, evidence and advice."""
    found = _EVENTS.search(prompt)
    lines = [json.loads(line) for line in (found[1] if found else "").splitlines()]
    orders = [text for line in lines for text in (line["message"], *line.get("attributes", {}).values()) if text]
    said = [" ".join(text.split())[:350] for text in orders if len(text) > 20 or " " in text]  # no names
    return sensible | {
        "title": said[0][:120] if said else sensible["title"],
        "impact": " ".join([sensible["impact"], *said])[:800],
        "likely_causes": [*sensible["likely_causes"], *said][:6],
        "evidence": [*sensible["evidence"], *(f"{text} [F1]" for text in said)][:12],
        "next_steps": [*said[:6], *sensible["next_steps"]],
    }


def invented(sensible: Answer) -> Answer:
    """One true item, and four that are not."""
    untrue = [
        "The database ran out of 500 connections [F1].",
        "A certificate expired 12 minutes before [F99].",
        "Customers complained loudly.",
        "Release 9.9.9-invented was deployed [F2].",
    ]
    return sensible | {"evidence": [sensible["evidence"][0], *untrue]}


def invented_all(sensible: Answer) -> Answer:
    return sensible | {"evidence": invented(sensible)["evidence"][1:]}


VALUES: dict[str, Callable[[Answer], Answer]] = {
    "invented": invented,
    "invented-all": invented_all,
    "wrong-types": lambda sensible: sensible | {"likely_causes": "one string", "confidence": "high"},
    "unknown-field": lambda sensible: sensible | {"severity": "critical"},
    "missing-field": lambda sensible: {name: value for name, value in sensible.items() if name != "impact"},
    "empty-field": lambda sensible: sensible | {"title": ""},
    "too-long": lambda sensible: sensible | {"title": "x" * 121},
    "out-of-range": lambda sensible: sensible | {"confidence": 95},
}
TEXTS: dict[str, Callable[[str], str]] = {
    "prose": lambda _: "I am sorry, but I cannot tell what happened here.",
    "around": lambda text: f"Here is the summary you asked for:\n\n{text}",
    "after": lambda text: f"{text}\n\nI hope this helps!",
    "fenced": lambda text: f"```json\n{text}\n```",
    "broken": lambda text: text.replace('", "', '"; "', 1),
    "truncated": lambda text: text[: len(text) // 2],
    "filtered": lambda _: "",
    "empty": lambda _: "",
}
