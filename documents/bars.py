"""A bar chart as SVG text: for a page or an artifact, made in no time and sharp at any size. Counts and names of units only."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

ROW, LABEL, BAR, VALUE, HEAD = 24, 200, 380, 90, 34
"""Pixels: height of a row, width of labels, bars and values, height of the title."""
INK, PALE, COLOUR = "#1f2933", "#52606d", "#2f5d8a"
FONTS = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif"


def bar_chart(title: str, rows: Sequence[tuple[str, float]], unit: str = "") -> str:
    """One bar to a row, as long as its share of the greatest; the values stand beside them."""
    greatest = max((value for _, value in rows), default=0) or 1
    height = HEAD + ROW * len(rows) + 10
    width = LABEL + BAR + VALUE
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
             f'role="img" font-family="{FONTS}" font-size="13">',
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             f'<text x="12" y="22" font-size="15" font-weight="bold" fill="{INK}">{escape(title)}</text>']
    for place, (label, value) in enumerate(rows):
        middle = HEAD + ROW * place + ROW / 2
        length = max(1.0, BAR * value / greatest) if value else 0
        lines += [
            f'<text x="{LABEL - 8}" y="{middle + 4:.0f}" text-anchor="end" fill="{INK}">{escape(label)}</text>',
            f'<rect x="{LABEL}" y="{middle - 8:.0f}" width="{length:.1f}" height="16" rx="2" fill="{COLOUR}"/>',
            f'<text x="{LABEL + length + 6:.1f}" y="{middle + 4:.0f}" fill="{PALE}">{value:,.0f}{escape(unit)}</text>']
    return "\n".join([*lines, "</svg>"])
