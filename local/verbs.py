"""The table of verbs: a new one is a line here. A verb's room is imported when it is called, `--help` needs none."""

import os
from argparse import REMAINDER, ArgumentParser, ArgumentTypeError, Namespace, _SubParsersAction
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

Subparsers: TypeAlias = "_SubParsersAction[ArgumentParser]"
Word = tuple[tuple[str, ...], dict[str, Any]]


class Verb(NamedTuple):
    """`room` is a module, `call` what is asked of it."""

    name: str
    meaning: str
    room: str
    call: Callable[[Any, Namespace], Any]
    words: tuple[Word, ...] = ()

    def run(self, words: Namespace) -> int:
        return int(self.call(import_module(self.room), words))

    def add_to(self, parser: Subparsers) -> None:
        made = parser.add_parser(self.name, help=self.meaning, description=self.meaning)
        made.set_defaults(run=self.run)
        for names, about in self.words:
            made.add_argument(*names, **about)


class Tool(NamedTuple):
    """A program by itself, whose words are its own."""

    meaning: str
    room: str
    before: tuple[str, ...] = ()


def word(*names: str, **about: Any) -> Word:
    return names, about


def at_least_one(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return int(text)


ADMIN = (
    word("kind", choices=["org", "project", "key", "token"]),
    word("deed", choices=["create", "list", "revoke", "limit"]),
    word("id", nargs="?", default="", help="of the organisation, project, key or token"),
    word("--org", default="", help="whose it is"),
    word("--project", default="", help="which project a key writes into"),
    word("--name", default="", help="of a token: whose it is, as the timeline will say"),
    word("--role", choices=["viewer", "responder", "admin"], default="admin", help="of a token"),
    word("--events-per-minute", type=at_least_one, help="limit of a project; without it there is none"),
    word("--ai-tokens-per-day", type=at_least_one, help="limit of a project; without it MODEL_TOKENS_PER_DAY"),
)
SKIP = (
    word("--station", required=True),
    word("--partition", required=True, type=int),
    word("--offset", required=True, type=int),
    word("--why", required=True),
)
DEAD = (
    word("deed", choices=["list", "show", "retry", "drop"]),
    word("ids", nargs="*", metavar="ID", help="of letters; their first characters are enough"),
    word("--station", default="", help="that refused the record"),
    word("--reason", default="", help="its code, such as unknown_project"),
    word("--since", default="", help="when it was buried: a time, or how long ago: 7d, 12h, 30m"),
    word("--until", default=""),
    word("--why", default="", help="kept with the letter; retry and drop want it"),
    word("--all", action="store_true", help="list also those that were retried or dropped"),
    word("--json", action="store_true", help="list and show as a line of JSON each"),
)
LOGS = (
    word("parts", nargs="*"),
    word("-f", "--follow", action="store_true"),
    word("-n", "--lines", type=int, default=20),
)
INSTANCES = word("instances", nargs="*", metavar="PART=N", help="how many of a part you run, such as ingest=20")
TESTS = word("arguments", nargs=REMAINDER)

VERBS = (
    Verb(
        "emulate",
        "run the stack in front of you, until Ctrl-C",
        "local.lifecycle",
        lambda room, w: room.emulate(os.environ, quiet=w.quiet),
        (word("--quiet", action="store_true"),),
    ),
    Verb(
        "up",
        "run the stack in the background; returns when all of it answers",
        "local.lifecycle",
        lambda room, _: room.up(os.environ),
    ),
    Verb("down", "stop what runs here; the data is kept", "local.lifecycle", lambda room, _: room.down()),
    Verb(
        "clean",
        "remove data, keys and logs: everything under .local/",
        "local.lifecycle",
        lambda room, _: room.clean(),
    ),
    Verb("status", "what is up, where, with how much memory", "local.look", lambda room, _: room.status()),
    Verb("health", "ask every function whether it is well", "local.look", lambda room, _: room.health()),
    Verb(
        "logs",
        "the logs of all parts, or of those named",
        "local.look",
        lambda room, w: room.logs(w.parts, follow=w.follow, lines=w.lines),
        LOGS,
    ),
    Verb(
        "admin",
        "organisations, projects, keys, tokens; needs the connection variables and no token",
        "local.admin",
        lambda room, w: room.main(os.environ, w),
        ADMIN,
    ),
    Verb(
        "skip",
        "free a partition that one record has stopped; it goes to the dead letters",
        "local.skip",
        lambda room, w: room.main(os.environ, w.station, w.partition, w.offset, w.why),
        SKIP,
    ),
    Verb(
        "dead",
        "what no station could use: list it, show it, send it back, or drop it",
        "local.dead",
        lambda room, w: room.main(os.environ, w),
        DEAD,
    ),
    Verb(
        "doctor",
        "try every configured connection, and say what is wrong with it",
        "local.doctor",
        lambda room, w: room.main(os.environ, w.instances),
        (INSTANCES,),
    ),
    Verb(
        "bundle",
        "what is deployed, in dist/: a bundle per function and platform, and their manifests",
        "local.bundles.build",
        lambda room, _: room.main(),
    ),
    Verb(
        "lock",
        "fetch the wheels of the bundles anew, and write down their hashes",
        "local.bundles.wheels",
        lambda room, _: room.lock(),
    ),
    Verb(
        "bill",
        "what a month costs on each platform, from what this machine measures and a price list",
        "local.bill.main",
        lambda room, _: room.main(),
    ),
    Verb(
        "migrate",
        "bring the configured database to this release's schema",
        "migrations.apply",
        lambda room, _: room.main(),
    ),
    Verb(
        "kafka-topics",
        "the topics of the stream (Kafka or Postgres) with their offsets",
        "local.look",
        lambda room, _: room.topics(),
    ),
    Verb("db-stats", "tables by size, sessions", "local.look", lambda room, _: room.db_stats()),
    Verb("lint", "ruff and mypy --strict over everything", "local.checks", lambda room, _: room.lint()),
    Verb("fmt", "format, and mend what can be mended by itself", "local.checks", lambda room, _: room.fmt()),
    Verb(
        "fuzz",
        "ask a running API everything its description allows; N=200 for more of each operation",
        "local.checks",
        lambda room, _: room.fuzz(),
    ),
    Verb("test", "all tests, on servers they start", "local.checks", lambda room, w: room.test(w.arguments), (TESTS,)),
    Verb(
        "bench",
        "the figures, each beside a baseline of the same run; all, or those named",
        "local.checks",
        lambda room, w: room.bench(w.names, quick=w.quick),
        (word("names", nargs="*"), word("--quick", action="store_true", help="small sizes: does it work?")),
    ),
    Verb(
        "faults",
        "random histories with crashes, and stacks whose parts are killed, against a model",
        "local.checks",
        lambda room, w: room.faults(w.n),
        (word("--n", type=int, default=200),),
    ),
)
# make loadgen ARGS='spike_errors --rate 20'; make loadgen ARGS=--help
TOOLS = {
    "loadgen": Tool("events at a rate that is held, and a report of what became of them", "local.loadgen"),
    "traffic": Tool("a shop's traffic that never ends", "local.traffic"),
    "replay": Tool("recorded events in their order, at any speed", "local.replay"),
    "demo": Tool("traffic, and the day before in a few seconds: a story to look at", "local.traffic", ("--demo",)),
    "soak": Tool("a stack of its own to which everything happens: kills, full disks, other clocks", "local.soak"),
    "acceptance": Tool("walk the list of what must work, on the running stack", "local.acceptance"),
}


def run_tool(name: str, arguments: list[str]) -> int:
    tool = TOOLS[name]
    return int(import_module(f"{tool.room}.__main__").main([*tool.before, *arguments]))
