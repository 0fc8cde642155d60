"""A value that must not show: a password, a key."""

from collections.abc import Callable


class Secret:
    """A value that prints as stars; whoever needs it says so by calling `reveal`, whenever it is needed.

    One that lies in a file is read anew each time: a mounted file changes while the process that uses it runs.
    """

    __slots__ = ("_anew", "_value")

    def __init__(self, value: str, anew: Callable[[], str] | None = None) -> None:
        self._value, self._anew = value, anew

    def reveal(self) -> str:
        return self._anew() if self._anew else self._value

    def __repr__(self) -> str:
        return "*****"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)
