"""The chart of a bulletin: how far each organisation is, against the share of time gone."""

from __future__ import annotations

import io
from typing import Any

from documents.model import ProgressTable

# In order of preference; names as matplotlib knows them. Every one has the letters of Chinese organisation names.
_CHINESE_FONTS = (
    "FangSong", "FangSong_GB2312", "STFangsong", "SimHei", "SimSun", "Microsoft YaHei", "Noto Serif CJK SC",
    "Noto Serif CJK JP", "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Serif SC", "Source Han Sans SC",
    "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "AR PL UMing CN", "Droid Sans Fallback", "PingFang SC",
)
_COLOURS = ("#2F5D8A", "#C55A11", "#548235", "#7F6000")
_SHOWN_INDICATORS = 3
_DOTS_PER_INCH = 200


def chinese_font() -> str | None:
    """The first installed font with Chinese letters, or ``None``."""
    # matplotlib takes a second to import and only bulletins need it.
    from matplotlib import font_manager

    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    return next((name for name in _CHINESE_FONTS if name in installed), None)


def progress_chart(tables: tuple[ProgressTable, ...]) -> bytes | None:
    """Completion by organisation as a PNG, for the first indicators that compare several organisations; where none
    does, for the first there are.

    ``None`` if no font with Chinese letters is installed or no completion is known: boxes instead of names would say
    nothing. The bytes depend on the content, the fonts and matplotlib's version alone.
    """
    known = [table for table in tables if any(line.completion is not None for line in table.lines)]
    shown = ([table for table in known if len(table.lines) > 1] or known)[:_SHOWN_INDICATORS]
    font = chinese_font() if shown else None
    if font is None:
        return None
    image = io.BytesIO()
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"font.family": [font], "axes.unicode_minus": False}):
        organisations = list(dict.fromkeys(line.label for table in shown for line in table.lines))
        height = min(7.5, 1.2 + 0.13 * len(organisations) * (len(shown) + 0.8))
        figure = Figure(figsize=(6.1, height), layout="constrained")
        FigureCanvasAgg(figure)
        _draw(figure.add_subplot(), shown, organisations)
        figure.legend(fontsize=7, loc="outside upper center", ncols=2, frameon=False)
        figure.savefig(image, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return image.getvalue()


def _draw(axes: Any, tables: list[ProgressTable], organisations: list[str]) -> None:
    thickness = 0.8 / len(tables)
    for place, table in enumerate(tables):
        completions = {line.label: line.completion for line in table.lines}
        known = [(row, value) for row, name in enumerate(organisations) if (value := completions.get(name)) is not None]
        offset = (place - (len(tables) - 1) / 2) * thickness
        bars = axes.barh(
            [row + offset for row, _ in known], [value * 100 for _, value in known], height=thickness * 0.9,
            color=_COLOURS[place], label=table.indicator,
        )
        axes.bar_label(bars, fmt="%.1f%%", fontsize=7, padding=2)
    pace = next((line.pace for table in tables for line in table.lines if line.pace is not None), None)
    if pace is not None:
        axes.axvline(pace * 100, color="#C00000", linestyle="--", linewidth=1, label=f"序时进度 {pace * 100:.1f}%")
    axes.set_yticks(range(len(organisations)), organisations, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("完成年度目标（%）", fontsize=8)
    axes.tick_params(axis="x", labelsize=7)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
