"""What the three tools have in common for whoever calls them: how they are asked, and how they decline."""

import argparse
import sys
from collections.abc import Callable

from local.sending.target import Unusable


def parser(name: str, said: str, examples: str) -> argparse.ArgumentParser:
    """`said` is the module's own text: its first sentence, after the name, describes the tool."""
    made = argparse.ArgumentParser(
        prog=name,
        description=said.partition(": ")[2].partition("\n")[0],
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--project", default="", help="send into this project instead of that of PROJECT_API_KEY")
    return made


def ended(name: str, work: Callable[[], int]) -> int:
    """Its exit status; 2 with a sentence if it cannot be done as asked."""
    try:
        return work()
    except Unusable as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
