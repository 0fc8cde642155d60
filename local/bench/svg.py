"""Horizontal bars as SVG, for the documentation: readable on any background, and by a screen reader."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

WIDTH, LABEL, RIGHT, ROW, BAR = 900, 450, 80, 22, 14
ROOM = WIDTH - LABEL - RIGHT
INK, QUIET, LINE, PAPER = "#1f2328", "#59636e", "#8c959f", "#ffffff"
GOOD, SHORT = "#1a7f64", "#bf5b04"
PARTS = ("#0b5d8f", "#4a9fd8", "#1a7f64", "#86c49a", "#bf5b04", "#e8b36b", "#7a4fa3", "#8c959f")
TEXT = f'font-family="system-ui, sans-serif" font-size="13" fill="{INK}"'


class Bar(NamedTuple):
    """`share` of the target; 1 stands at the line."""

    label: str
    share: float
    said: str


class Stack(NamedTuple):
    """Parts of a hundred, with what they are."""

    label: str
    parts: Sequence[tuple[str, float]]


def against_target(title: str, bars: Sequence[Bar], most: float = 2.0) -> str:
    """Who passes the line has reached its target; a bar that is longer than the picture ends at its edge."""
    height, at_target = 58 + ROW * len(bars), LABEL + ROOM / most
    return _picture(title, height, _bars(bars, most, height, at_target))


def _bars(bars: Sequence[Bar], most: float, height: int, at_target: float) -> Iterator[str]:
    yield f'<text x="{at_target:.0f}" y="44" text-anchor="middle" {TEXT}>the target</text>'
    for row, one in enumerate(bars):
        y = 52 + row * ROW
        colour = GOOD if one.share >= 1 else SHORT
        long = min(one.share, most) / most * ROOM
        yield f'<text x="{LABEL - 8}" y="{y + 12}" text-anchor="end" {TEXT}>{escape(one.label)}</text>'
        yield f'<rect x="{LABEL}" y="{y + 1}" width="{long:.1f}" height="{BAR}" fill="{colour}"/>'
        yield f'<text x="{LABEL + ROOM + 8}" y="{y + 12}" {TEXT}>{escape(one.said)}</text>'
    yield f'<path d="M{at_target:.1f} 50V{height - 6}" stroke="{INK}" stroke-dasharray="4 3"/>'


def of_a_hundred(title: str, stacks: Sequence[Stack]) -> str:
    """A row of parts for each, and under it what the parts are."""
    rows = [list(_labelled(one)) for one in stacks]
    height = 44 + sum(40 + 18 * ((len(one.parts) + 1) // 2) for one in stacks)
    return _picture(title, height, _stacked(stacks, rows))


def _labelled(stack: Stack) -> Iterator[tuple[str, float, str]]:
    for number, (label, share) in enumerate(stack.parts):
        yield label, share, PARTS[min(number, len(PARTS) - 1)]


def _stacked(stacks: Sequence[Stack], rows: Sequence[Sequence[tuple[str, float, str]]]) -> Iterator[str]:
    y, room = 44, WIDTH - 32
    for stack, parts in zip(stacks, rows, strict=True):
        yield f'<text x="16" y="{y + 4}" font-weight="600" {TEXT}>{escape(stack.label)}</text>'
        x = 16.0
        for number, (label, share, colour) in enumerate(parts):
            wide = share / 100 * room
            yield f'<rect x="{x:.1f}" y="{y + 10}" width="{max(wide - 1, 0.5):.1f}" height="{BAR}" fill="{colour}"/>'
            left, down = 16 + (number % 2) * (room // 2), y + 42 + 18 * (number // 2)
            yield f'<rect x="{left}" y="{down - 10}" width="10" height="10" fill="{colour}"/>'
            yield f'<text x="{left + 16}" y="{down}" {TEXT}>{share:.0f} % {escape(label)}</text>'
            x += wide
        y += 40 + 18 * ((len(parts) + 1) // 2)


def _picture(title: str, height: int, inside: Iterator[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="{escape(title)}">'
    )
    paper = f'<rect width="{WIDTH}" height="{height}" rx="6" fill="{PAPER}" stroke="{LINE}"/>'
    name = f'<text x="16" y="24" font-weight="600" {TEXT}>{escape(title)}</text>'
    return "\n".join([head, paper, name, *inside, "</svg>\n"])
