"""No file and no function has grown too large, and every module says what it is."""

from local import sizes


def test_nothing_is_too_large_and_everything_says_what_it_is() -> None:
    assert sizes.main() == 0, "see `python -m local.sizes`"


def test_what_is_too_large_is_found() -> None:
    text = "x = 1\n" * 301 + "def long():\n" + "    x = 1\n" * 40
    assert list(sizes.complaints("a.py", text)) == [
        "a.py: 342 lines, at most 300",
        "a.py: does not say what it is",
        "a.py:302: long has 41 lines, at most 40",
    ]
