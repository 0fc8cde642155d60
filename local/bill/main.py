"""`make bill`: what a month costs."""


def main() -> int:
    return 0
