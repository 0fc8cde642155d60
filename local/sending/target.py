"""Where events go: an address of ingest and a project key, from the environment, or of a project made for them."""

import os
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx

ENV = Path(__file__).parents[2] / ".local" / "env"
# They belong together: a key of one installation is no good at another, and events must not be asked for elsewhere.
INSTALLATION = ("INGEST_API_URL", "CORE_API_URL", "PROJECT_API_KEY", "ACCESS_TOKEN")
HELP = "Start a stack (make up) and say `set -a; . .local/env`, or set it to that of an installation of yours."


class Unusable(Exception):
    """It cannot be done as asked; the sentence says what to do."""


class Target(NamedTuple):
    url: str
    key: str
    project: str = ""  # empty: whichever the key writes into


def environment() -> dict[str, str]:
    """This shell's variables; those it lacks from the stack of this folder, unless it names another installation."""
    shell = {name: value for name, value in os.environ.items() if value}
    return shell if any(name in shell for name in INSTALLATION) else of_stack() | shell


def of_stack() -> dict[str, str]:
    """What a stack that was started here says of itself."""
    lines = ENV.read_text().splitlines() if ENV.exists() else []
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}


def target(environ: Mapping[str, str], project: str = "") -> Target:
    """Of the project key; or of a project by name, which is made with a key of its own through the API."""
    url = needed(environ, "INGEST_API_URL").rstrip("/")
    if not project:
        return Target(url, needed(environ, "PROJECT_API_KEY"))
    with closing(Api(environ)) as api:
        return Target(url, api.key_of(project), project)


def needed(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        named = " and ".join(one for one in INSTALLATION if environ.get(one))
        why = f"This shell names {named}, so nothing is taken from .local/env. " if named else ""
        raise Unusable(f"{name} is not set. {why}{HELP}")
    return environ[name]


class Api:
    """What the tools ask core_api, as the holder of an access token."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        base, token = needed(environ, "CORE_API_URL"), needed(environ, "ACCESS_TOKEN")
        self._client = httpx.Client(base_url=base, headers={"authorization": f"Bearer {token}"}, timeout=30)

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **parameters: Any) -> Any:
        return self._asked("GET", path, params={name: value for name, value in parameters.items() if value})

    def post(self, path: str, body: object = None) -> Any:
        return self._asked("POST", path, json=body)

    def key_of(self, project: str) -> str:
        """A new key of this project, which is made if it is not there."""
        path, body = f"/v1/projects/{project}/keys", {"name": "tools"}
        made = self._asked("POST", path, json=body, also=404)
        if "key" not in made:
            self.post("/v1/projects", {"id": project, "name": project})
            made = self.post(path, body)
        return str(made["key"])

    def minutes(self, project: str, first: datetime, last: datetime) -> list[int]:
        """How many events there are of each minute, at most a day of them; of all projects if none is named."""
        asked = {"project_id": project, "from": first.isoformat(), "to": last.isoformat(), "step": "minute"}
        series = [one["values"] for one in self.get("/v1/metrics/trends", **asked)["series"]]
        return [sum(values) for values in zip(*series, strict=True)]

    def _asked(self, method: str, path: str, also: int = 0, **more: Any) -> Any:
        try:
            answer = self._client.request(method, path, **more)
            if answer.status_code in (429, 503):  # a busy API says when it is worth asking again
                time.sleep(min(5.0, float(answer.headers.get("retry-after", "1"))))
                answer = self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Unusable(f"CORE_API_URL: {self._client.base_url} does not answer ({error}).") from error
        if not answer.is_success and answer.status_code != also:
            raise Unusable(f"{method} {path} was answered with {answer.status_code}: {answer.text.strip()[:300]}")
        return answer.json()
