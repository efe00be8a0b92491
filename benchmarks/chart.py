"""The table as a picture: how far each median is from what is wanted, on a logarithmic scale."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.figures import Outcome, Target

_LINE, _LEFT, _WIDTH, _RIGHT = 22, 420, 420, 200
_DECADES = 1.0
"""To each side of what is wanted: a tenth, and ten times."""


def chart(outcomes: Sequence[Outcome]) -> str:
    """An SVG with a bar for each target that was measured; to the right is better."""
    bars = list(_bars(outcomes))
    height, middle = _LINE * (len(bars) + 2), _LEFT + _WIDTH / 2
    width = _LEFT + _WIDTH + _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">',
        f'<text x="{middle}" y="14" font-size="12" text-anchor="middle">what is wanted (a tenth … ten times)</text>',
    ]
    for number, (name, better, text) in enumerate(bars, 1):
        top = _LINE * number + 4
        length = max(-_DECADES, min(_DECADES, math.log10(better))) / _DECADES * _WIDTH / 2
        start, colour = min(middle, middle + length), "#2a7f4f" if better >= 1 else "#b5543a"
        parts += [
            f'<text x="{_LEFT - 8}" y="{top + 11}" font-size="12" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{start:.1f}" y="{top}" width="{max(1.0, abs(length)):.1f}" height="14" fill="{colour}"/>',
            f'<text x="{_LEFT + _WIDTH + 8}" y="{top + 11}" font-size="12">{escape(text)}</text>',
        ]
    parts.append(f'<line x1="{middle}" y1="20" x2="{middle}" y2="{height - 8}" stroke="#444"/></svg>')
    return "\n".join(parts) + "\n"


def _bars(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, float, str]]:
    for outcome in outcomes:
        for target in outcome.row.targets:
            value = target.value(outcome.figures)
            if value:
                yield f"{outcome.row.name}, {target.metric}", _times_better(target, value), f"{value:,.3g} ({target})"


def _times_better(target: Target, value: float) -> float:
    if target.at_least is not None:
        return value / target.at_least
    return (target.at_most or value) / value
