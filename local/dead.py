"""`dead list|show|retry|drop`: work with what no station could use. It needs only the connection variables.

Letters stay on their topic until retention takes it; who did what with which, when and why is a row each.
"""

import argparse
import base64
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime

import msgspec

from common import settings
from common.clients.postgres import letters, schema
from common.clients.postgres.connection import Connection
from common.clients.stream import Stream, retried, stream_for
from common.clients.stream.dead import Letter
from common.errors import Misconfigured, Problem
from local import harness, state
from local.admin import who
from local.letters import Found, Wanted, find, wanted

Words = argparse.Namespace
DEEDS = ("list", "show", "retry", "drop")
DONE = {"retry": "retried", "drop": "dropped"}


def main(environ: Mapping[str, str], words: Words) -> int:
    one = wanted(words, datetime.now(UTC))
    check(words, one)
    where = settings.read(harness.given_connections(environ) or state.read_env())
    with closing(Connection(where.database)) as conn, closing(stream_for(where)) as stream:
        schema.check(*schema.look_up(conn))
        if words.deed == "list":
            return show_all(find(conn, stream, one), words)
        if words.deed == "show":
            return show(list(find(conn, stream, one)), words)
        deed = retry if words.deed == "retry" else drop
        return end_all(find(conn, stream, one), words, lambda letter: deed(conn, stream, letter, words.why))


def check(words: Words, one: Wanted) -> None:
    if words.deed == "show" and len(words.ids) != 1:
        raise Misconfigured("show wants the id of one letter; `list` shows them.")
    if words.deed in ("retry", "drop"):
        if one == Wanted():
            raise Misconfigured(f"Which letters? {words.deed} wants ids, --station, --reason, --since or --until.")
        if not words.why.strip():
            raise Misconfigured("--why must say why: it is kept with the letter.")


def retry(conn: Connection, stream: Stream, letter: Letter, why: str) -> bool:
    """Back onto its topic, for the station that refused it. False: it had ended before.

    Should this die in between, the letter is dead as before, and may be on its way all the same: sent back once more,
    it is counted once, because its event's id is remembered.
    """
    with conn.transaction():
        if not letters.end(conn, letter.id, "retried", who(), why):
            return False
        value = retried.wrapped(letter.id, letter.station, letter.value)
        stream.publish(letter.topic, [(letter.key, value)]).wait()
    return True


def drop(conn: Connection, _: Stream, letter: Letter, why: str) -> bool:
    return letters.end(conn, letter.id, "dropped", who(), why)


def end_all(found: Iterator[Found], words: Words, deed: Callable[[Letter], bool]) -> int:
    """One after the other. Those that ended before are left out, but for those named by id: of them it is said."""
    told = [tell(one, DONE[words.deed], deed) for one in found if words.ids or not one.end]
    if not told:
        raise Misconfigured("No such letter is dead; `list --all` also shows those that were retried or dropped.")
    print(f"letters {DONE[words.deed]}: {sum(told)}", file=sys.stderr)
    return 0 if all(told) else 1


def tell(one: Found, done: str, deed: Callable[[Letter], bool]) -> bool:
    """Do it, and say what came of it."""
    letter, end = one
    well = False
    try:
        well = end is None and deed(letter)
        said = done if well else "somebody else was quicker"
    except Problem as problem:
        said = f"not {done}: {problem}"
    if end:
        said = f"not {done}: it was {end.how} by {end.who} at {end.at}: {end.why}"
    print(printable(f"{letter.id}  {letter.station}  {letter.reason.code}  {said}"))
    return well


def show_all(found: Iterator[Found], words: Words) -> int:
    """Oldest first; those that are still dead, unless all are asked for."""
    rows = sorted((about(one) for one in found if words.all or not one.end), key=lambda row: str(row["at"]))
    for row in rows:
        print(msgspec.json.encode(row).decode() if words.json else line(row))
    print(f"letters: {len(rows)}", file=sys.stderr)
    return 0


def show(found: list[Found], words: Words) -> int:
    if len(found) != 1:
        raise Misconfigured(f"{len(found) or 'No'} letters are called {words.ids[0]}…; `list --all` shows them.")
    [one] = found
    row = about(one) | {"key": readable(one.letter.key), "value": readable(one.letter.value)}
    if words.json:
        print(msgspec.json.encode(row).decode())
    else:
        for name, value in row.items():
            print(f"{name:<10} {printable(str(value))}")
    return 0


def about(one: Found) -> dict[str, object]:
    letter, end = one
    row: dict[str, object] = {
        "id": letter.id,
        "at": letter.at,
        "station": letter.station,
        "code": letter.reason.code,
        "detail": letter.reason.detail,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "bytes": len(letter.value or b""),
        "state": end.how if end else "dead",
    }
    row |= {"buried_by": letter.by} if letter.by else {}
    return row | ({"who": end.who, "when": end.at, "why": end.why} if end else {})


def line(row: dict[str, object]) -> str:
    where = f"{row['topic']} {row['partition']}/{row['offset']}"
    said = [row["id"], row["at"], row["station"], row["code"], where, f"{row['bytes']} bytes"]
    if row["state"] != "dead":
        said.append(f"{row['state']} by {row['who']} at {row['when']}: {row['why']}")
    return printable("  ".join(map(str, [*said, row["detail"]])))


def readable(data: bytes | None) -> object:
    """Text if it is text, else base64; None is null."""
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def printable(text: str) -> str:
    """What a stranger sent must not steer somebody's terminal."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
