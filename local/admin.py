"""`admin org|project|key|token create|list|revoke|limit`: needs only the connection variables, and no token.

It makes a production's first organisation and token, and mends a lock-out. A secret is the only thing it prints on
stdout, so that a script can keep it.
"""

import argparse
import getpass
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from typing import Any

import msgspec

from common import settings
from common.clients.postgres import orgs, paging, projects, schema, tokens
from common.clients.postgres.connection import Conflict, Connection
from common.clients.postgres.paging import Page
from common.errors import Misconfigured, Problem
from local import harness, state

Words = argparse.Namespace


def main(environ: Mapping[str, str], words: Words) -> int:
    where = settings.read(harness.given_connections(environ) or state.read_env()).database
    with closing(Connection(where)) as conn:
        schema.check(*schema.look_up(conn))
        try:
            deed_of(words)(conn, words)
        except Conflict as conflict:
            reason = f"{words.id} is taken" if words.id else f"there is no organisation {words.org!r}"
            raise Misconfigured(f"Not done: {reason} ({conflict.constraint}).") from None
        except Problem as problem:
            raise Misconfigured(str(problem)) from None
    return 0


def create_org(conn: Connection, words: Words) -> None:
    orgs.create(conn, label(words.id), words.name or words.id, who())
    print(f"organisation {words.id} made", file=sys.stderr)


def list_orgs(conn: Connection, _: Words) -> None:
    for org, name, created_at in orgs.every(conn):
        print(org, name, created_at, sep="\t")


def revoke_org(conn: Connection, words: Words) -> None:
    """Every token and every key: nobody gets in until a new token is made."""
    for token in everything(lambda cursor: tokens.found(conn, words.id, 200, cursor)):
        tokens.revoke(conn, words.id, token["id"], who())
    for project in everything(lambda cursor: projects.found(conn, words.id, 200, cursor)):
        revoke_keys(conn, words.id, project["id"])
    print(f"every token and key of {words.id} is revoked", file=sys.stderr)


def create_project(conn: Connection, words: Words) -> None:
    projects.create(conn, needed(words, "org"), label(words.id), words.name or words.id, who())
    print(f"project {words.id} made", file=sys.stderr)


def list_projects(conn: Connection, words: Words) -> None:
    show(everything(lambda cursor: projects.found(conn, needed(words, "org"), 200, cursor)))


def limit_project(conn: Connection, words: Words) -> None:
    """Both limits at once: what is not said is none."""
    org, events, tokens_a_day = needed(words, "org"), words.events_per_minute, words.ai_tokens_per_day
    projects.set_limits(conn, org, words.id, events, tokens_a_day, who())
    said = f"{events or 'any number of'} events a minute, {tokens_a_day or 'the usual'} tokens of a model a day"
    print(f"project {words.id}: {said}; ingest keeps to it within 30 seconds", file=sys.stderr)


def revoke_project(conn: Connection, words: Words) -> None:
    revoke_keys(conn, needed(words, "org"), words.id)
    print(f"every key of {words.id} is revoked", file=sys.stderr)


def create_key(conn: Connection, words: Words) -> None:
    org, project = needed(words, "org"), needed(words, "project")
    secret, _ = projects.create_key(conn, org, project, words.name or "made by admin", who(), os.urandom(24))
    print(secret)


def list_keys(conn: Connection, words: Words) -> None:
    org, project = needed(words, "org"), needed(words, "project")
    show(everything(lambda cursor: projects.keys(conn, org, project, 200, cursor)))


def revoke_key(conn: Connection, words: Words) -> None:
    org, project = needed(words, "org"), needed(words, "project")
    revoked(projects.revoke_key(conn, org, project, identity(words.id), who()))


def create_token(conn: Connection, words: Words) -> None:
    secret, _ = tokens.create(
        conn, needed(words, "org"), needed(words, "name"), words.role, None, who(), os.urandom(24)
    )
    print(secret)


def list_tokens(conn: Connection, words: Words) -> None:
    show(everything(lambda cursor: tokens.found(conn, needed(words, "org"), 200, cursor)))


def revoke_token(conn: Connection, words: Words) -> None:
    revoked(tokens.revoke(conn, needed(words, "org"), identity(words.id), who()))


DO: dict[tuple[str, str], Callable[[Connection, Words], None]] = {
    ("org", "create"): create_org,
    ("org", "list"): list_orgs,
    ("org", "revoke"): revoke_org,
    ("project", "create"): create_project,
    ("project", "list"): list_projects,
    ("project", "revoke"): revoke_project,
    ("project", "limit"): limit_project,
    ("key", "create"): create_key,
    ("key", "list"): list_keys,
    ("key", "revoke"): revoke_key,
    ("token", "create"): create_token,
    ("token", "list"): list_tokens,
    ("token", "revoke"): revoke_token,
}


def deed_of(words: Words) -> Callable[[Connection, Words], None]:
    if (words.kind, words.deed) not in DO:
        raise Misconfigured(f"Only a project has limits, not a {words.kind}.")
    return DO[words.kind, words.deed]


def everything(ask: Callable[[str | None], Page]) -> Iterator[dict[str, Any]]:
    """All pages of a list."""
    page = ask(None)
    while True:
        yield from (msgspec.json.decode(item) for item in page.items)
        if page.next is None:
            return
        page = ask(page.next)


def show(items: Iterator[dict[str, Any]]) -> None:
    for item in items:
        print(*(f"{name}={value}" for name, value in item.items() if value is not None), sep="\t")


def revoke_keys(conn: Connection, org: str, project: str) -> None:
    for key in list(everything(lambda cursor: projects.keys(conn, org, project, 200, cursor))):
        projects.revoke_key(conn, org, project, key["id"], who())


def revoked(found: msgspec.Raw | None) -> None:
    if found is None:
        raise Misconfigured("There is no such one; `list` shows them.")
    print("revoked; it dies within 30 seconds", file=sys.stderr)


def needed(words: Words, name: str) -> str:
    if not getattr(words, name):
        raise Misconfigured(f"--{name} is needed here.")
    return str(getattr(words, name))


def label(text: str) -> str:
    if not re.fullmatch(paging.LABEL, text):
        raise Misconfigured("The id must be 1 to 64 of a-z, 0-9, _ and -.")
    return text


def identity(text: str) -> str:
    if not re.fullmatch(paging.UUID, text):
        raise Misconfigured("The id must be the one that `list` shows.")
    return text


def who() -> str:
    """As the audit row names whoever sits at this command line."""
    name = "unknown"
    with suppress(OSError, KeyError):
        name = getpass.getuser()
    return f"operator {name}"
