"""The verbs: `python -m local VERB`, which `make VERB` calls. Failures are one sentence and a non-zero exit."""

import argparse
import os
import sys

from common.errors import Misconfigured, Unavailable
from common.version import VERSION
from local.verbs import TOOLS, VERBS, run_tool


def main(arguments: list[str]) -> int:
    verb = arguments[0] if arguments else ""
    try:
        if verb in TOOLS:
            return run_tool(verb, arguments[1:])
        words = parser().parse_args(arguments)
        return int(words.run(words))
    except (Misconfigured, Unavailable) as error:
        print(f"{verb}: {error}", file=sys.stderr)
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
    for verb in VERBS:
        verb.add_to(verbs)
    for name, tool in TOOLS.items():
        verbs.add_parser(name, help=tool.meaning)
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
