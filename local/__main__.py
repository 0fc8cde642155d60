"""The verbs: `python -m local VERB`, which `make VERB` calls. Failures are one sentence and a non-zero exit."""

import argparse
import os
import sys
from collections.abc import Callable

from common.errors import Misconfigured, Unavailable
from common.version import VERSION

Words = argparse.Namespace


def main(arguments: list[str]) -> int:
    words = parser().parse_args(arguments)
    try:
        return int(words.run(words))
    except (Misconfigured, Unavailable) as error:
        print(f"{words.verb}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="make", description="Signals Copilot on this machine. STACK=embedded|native|compose."
    )
    made.add_argument("--version", action="version", version=VERSION)
    verbs = made.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Callable[[Words], int], meaning: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=meaning, description=meaning)
        one.set_defaults(run=run)
        return one

    verb("emulate", emulate, "run the stack in front of you, until Ctrl-C").add_argument("--quiet", action="store_true")
    verb("up", up, "run the stack in the background; returns when all of it answers")
    verb("down", down, "stop what runs here; the data is kept")
    verb("clean", clean, "remove data, keys and logs: everything under .local/")
    verb("status", status, "what is up, where, with how much memory")
    verb("health", health, "ask every function whether it is well")
    one = verb("logs", logs, "the logs of all parts, or of those named")
    one.add_argument("parts", nargs="*")
    one.add_argument("-f", "--follow", action="store_true")
    one.add_argument("-n", "--lines", type=int, default=20)
    one = verb("admin", admin, "organisations, projects, keys, tokens; needs the connection variables and no token")
    one.add_argument("kind", choices=["org", "project", "key", "token"])
    one.add_argument("deed", choices=["create", "list", "revoke"])
    one.add_argument("id", nargs="?", default="", help="of the organisation, project, key or token")
    one.add_argument("--org", default="", help="whose it is")
    one.add_argument("--project", default="", help="which project a key writes into")
    one.add_argument("--name", default="", help="of a token: whose it is, as the timeline will say")
    one.add_argument("--role", choices=["viewer", "responder", "admin"], default="admin", help="of a token")
    one = verb("skip", skip, "free a partition that one record has stopped; it goes to the dead letters")
    one.add_argument("--station", required=True)
    one.add_argument("--partition", required=True, type=int)
    one.add_argument("--offset", required=True, type=int)
    one.add_argument("--why", required=True)
    one = verb("dead", dead, "what no station could use: list it, show it, send it back, or drop it")
    one.add_argument("deed", choices=["list", "show", "retry", "drop"])
    one.add_argument("ids", nargs="*", metavar="ID", help="of letters; their first characters are enough")
    one.add_argument("--station", default="", help="that refused the record")
    one.add_argument("--reason", default="", help="its code, such as unknown_project")
    one.add_argument("--since", default="", help="when it was buried: a time, or how long ago: 7d, 12h, 30m")
    one.add_argument("--until", default="")
    one.add_argument("--why", default="", help="kept with the letter; retry and drop want it")
    one.add_argument("--all", action="store_true", help="list also those that were retried or dropped")
    one.add_argument("--json", action="store_true", help="list and show as a line of JSON each")
    one = verb("doctor", doctor, "try every configured connection, and say what is wrong with it")
    one.add_argument("instances", nargs="*", metavar="PART=N", help="how many of a part you run, such as ingest=20")
    verb("bundle", bundle, "what is deployed, in dist/: a bundle per function and platform, and their manifests")
    verb("lock", lock, "fetch the wheels of the bundles anew, and write down their hashes")
    verb("bill", bill, "what a month costs on each platform, from what this machine measures and a price list")
    verb("migrate", migrate, "bring the configured database to this release's schema")
    verb("kafka-topics", topics, "the topics of the stream (Kafka or Postgres) with their offsets")
    verb("db-stats", db_stats, "tables by size, sessions")
    verb("lint", lint, "ruff and mypy --strict over everything")
    verb("fmt", fmt, "format, and mend what can be mended by itself")
    verb("fuzz", fuzz, "ask a running API everything its description allows; N=200 for more of each operation")
    verb("test", test, "all tests, on servers they start").add_argument("arguments", nargs=argparse.REMAINDER)
    names = verb("bench", bench, "the figures, each beside a baseline of the same run; all, or those named")
    names.add_argument("names", nargs="*")
    verb("faults", faults, "random histories with crashes, against a model").add_argument("--n", type=int, default=200)
    return made


# Each verb imports its own room: `--help` must not need what `doctor` needs.


def emulate(words: Words) -> int:
    from local import lifecycle

    return lifecycle.emulate(os.environ, quiet=words.quiet)


def up(_: Words) -> int:
    from local import lifecycle

    return lifecycle.up(os.environ)


def down(_: Words) -> int:
    from local import lifecycle

    return lifecycle.down()


def clean(_: Words) -> int:
    from local import lifecycle

    return lifecycle.clean()


def status(_: Words) -> int:
    from local import look

    return look.status()


def health(_: Words) -> int:
    from local import look

    return look.health()


def logs(words: Words) -> int:
    from local import look

    return look.logs(words.parts, follow=words.follow, lines=words.lines)


def admin(words: Words) -> int:
    from local import admin as room

    return room.main(os.environ, words)


def skip(words: Words) -> int:
    from local import skip as room

    return room.main(os.environ, words.station, words.partition, words.offset, words.why)


def dead(words: Words) -> int:
    from local import dead as room

    return room.main(os.environ, words)


def doctor(words: Words) -> int:
    from local import doctor as room

    return room.main(os.environ, words.instances)


def bundle(_: Words) -> int:
    from local.bundles import build

    return build.main()


def lock(_: Words) -> int:
    from local.bundles import wheels

    return wheels.lock()


def bill(_: Words) -> int:
    from local.bill import main as room

    return room.main()


def migrate(_: Words) -> int:
    from migrations import apply

    return apply.main()


def topics(_: Words) -> int:
    from local import look

    return look.topics()


def db_stats(_: Words) -> int:
    from local import look

    return look.db_stats()


def lint(_: Words) -> int:
    from local import checks

    return checks.lint()


def fmt(_: Words) -> int:
    from local import checks

    return checks.fmt()


def bench(words: Words) -> int:
    from local import checks

    return checks.bench(words.names)


def faults(words: Words) -> int:
    from local import checks

    return checks.faults(words.n)


def fuzz(_: Words) -> int:
    from local import checks

    return checks.fuzz()


def test(words: Words) -> int:
    from local import checks

    return checks.test(words.arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
