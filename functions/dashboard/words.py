"""Numbers and durations as people read them: never a bare number without its noun, never more than two units."""

from datetime import timedelta

from common.detection.rules import MINUTES, SPIKE, Rule

MILLION, SHORTENED = 1_000_000, 10_000
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
NOUNS: dict[Rule, str] = {"error_spike": "error", "signup_drop": "signup"}


def counted(number: int, noun: str) -> str:
    """142 errors, 1 error, no errors."""
    return f"{exact(number) if number else 'no'} {noun}{'' if number == 1 else 's'}"


def need_someone(count: int) -> str:
    """In the tab: 2 need someone."""
    return f"{exact(count)} need{'s' if count == 1 else ''} someone"


def exact(number: int) -> str:
    return f"{number:,}"


def figure(number: int) -> str:
    """For the large figures alone: 1.24 M, with the exact number beside it in a title."""
    if number < MILLION:
        return exact(number)
    millions = number / MILLION
    return f"{millions:,.2f} M" if millions < 1_000 else f"{millions:,.0f} M"


def short(number: int) -> str:
    """In narrow columns and on axes: 12.5k."""
    if number < SHORTENED:
        return exact(number)
    if number < MILLION - 500:  # what rounds to 1000k is 1M
        return f"{_trimmed(number / 1_000)}k"
    return f"{_trimmed(number / MILLION)}M"


def whole(usual: float) -> int:
    """The nearest whole number, a half upwards."""
    return int(usual + 0.5)


def usually(usual: float) -> str:
    return f"usually {exact(whole(usual))}" if whole(usual) else "usually none"


def in_window(rule: Rule, number: int) -> str:
    """142 errors in 5 minutes: what the rule looks at."""
    return f"{counted(number, NOUNS[rule])} in {MINUTES[rule]} minutes"


def alerts(rule: Rule, threshold: int) -> str:
    return f"alerts from {exact(threshold)}" if rule == SPIKE else f"alerts at {exact(threshold)} or fewer"


def capital(text: str) -> str:
    """As a sentence begins."""
    return text[:1].upper() + text[1:]


def duration(span: timedelta) -> str:
    """45 s, 19 min, 1 h 4 min, 2 d 3 h. What is negative has only just begun."""
    seconds = max(int(span.total_seconds()), 0)
    for place, (name, size) in enumerate(UNITS):
        if seconds < size:
            continue
        count, rest = divmod(seconds, size)
        below = UNITS[place + 1] if name in ("d", "h") else None
        more = rest // below[1] if below else 0
        return f"{count} {name} {more} {below[0]}" if below and more else f"{count} {name}"
    return "0 s"


def spelled(span: timedelta) -> str:
    """4 seconds, 14 minutes, 3 hours, 2 days: one unit, in full, as sentences have it."""
    seconds = max(int(span.total_seconds()), 0)
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds >= size:
            count = seconds // size
            return f"{exact(count)} {name}{'' if count == 1 else 's'}"
    return "0 seconds"


def cut(text: str, longest: int = 120) -> str:
    """At most so many characters, if possible whole words; the last one says that there was more."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    words, space, _ = kept.rpartition(" ")
    whole_words = space and not text[longest - 1].isspace() and len(words) > longest * 2 // 3
    return f"{(words if whole_words else kept).rstrip()}…"


def _trimmed(number: float) -> str:
    """Three figures at most: 12.5, 125, 1.24 is 1.2."""
    return f"{number:.1f}".removesuffix(".0") if number < 100 else f"{number:.0f}"
