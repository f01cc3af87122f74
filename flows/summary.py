"""What a run leaves in the Prefect UI: tables, pictures and links, in counts. Keys are stable, so the UI shows a history."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache, partial
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from documents.bars import bar_chart
from models.database import transaction
from models.errors import CanbaoError
from models.store import documents
from tasks.run_tables import run_tables

ALLOWED = (int, float, bool, str, type(None))
SHORTEST_BAR = 0.01
"""Owners with less than this share of the longest bar are counted in the table, not drawn."""


MOVED_EVERY_SECONDS = 10.0
REQUESTS_AT_ONCE = 3


@cache
def _labels() -> dict[str, str]:
    labels: dict[str, str] = yaml.safe_load(Path(__file__).with_name("labels.yaml").read_text(encoding="utf-8"))
    return labels


def key_of(*parts: str) -> str:
    """An artifact's key: small letters, digits and dashes."""
    return "-".join(part for part in parts if part).lower().replace("_", "-")


def _rows(result: Mapping[str, object], above: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    for key, value in result.items():
        place = (*above, _labels().get(key, key))
        if isinstance(value, Mapping):
            yield from _rows({str(name): entry for name, entry in value.items()}, place)
        elif isinstance(value, list | tuple):
            yield " · ".join(place), "、".join(map(str, value)) or "–"
        elif isinstance(value, ALLOWED):
            yield " · ".join(place), _plain(value)
        else:
            raise CanbaoError(f"a run's summary holds a {type(value).__name__} under {key!r}.",
                              cure="Summaries hold ids, periods and counts only.")


def _plain(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "是" if value else "否"
    return f"{value:,}" if isinstance(value, int) else str(value)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; what would break it is taken out of its cells."""
    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "／").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(columns), "|" + "---|" * len(columns), *map(line, rows)])


def publish(kind: str, campaign: str, period: str, result: Mapping[str, object]) -> None:
    """Leaves the result of a run as a table of what was done and how many."""
    title = " ".join(part for part in (campaign, period, kind) if part)
    create_markdown_artifact(
        markdown=f"### {title}\n\n" + markdown_table(("项目", "结果"), list(_rows(result))),
        key=key_of(campaign, kind, period), description=title)


def publish_run(campaign: str, run_id: int, *also: Callable[[], object]) -> None:
    """Leaves what a comparison found: row accounts, categories that balance, lists by owner, links, ranks and a picture.
    What is to be told ``also`` is told at the same time."""
    tables = run_tables(campaign, run_id)
    where = f"{tables.name} {tables.period_name}"
    longest = max((count for _, count in tables.by_owner), default=0)
    owners = [(name, count) for name, count in tables.by_owner if count >= SHORTEST_BAR * longest]
    pictures = [bar_chart(f"{where} 人员类别（人）", tables.by_category), bar_chart(f"{where} 清单条数（按责任单位）", owners)]
    shown = (("accounts", "数据行数与质量结论", tables.accounts), ("categories", "人员类别（合计等于人口）", tables.categories),
             ("lists", "清单与责任单位", tables.lists), ("links", "人员匹配方式", tables.links), ("ranks", "目标与排名", tables.ranks))
    _together(
        *also, *(partial(create_table_artifact, table=lines, key=key_of(campaign, kind, tables.period), description=f"{where} {title}")
          for kind, title, lines in shown if lines),
        partial(create_markdown_artifact, markdown="\n\n".join(f"![图]({_inline(picture)})" for picture in pictures),
                key=key_of(campaign, "charts", tables.period), description=f"{where} 图"))


def _together(*makers: Callable[[], object]) -> None:
    """Makes artifacts side by side: each is a request, and a comparison should not wait for one after the other."""
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        for made in [pool.submit(copy_context().run, make) for make in makers]:
            made.result()


def _inline(picture: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"


def publish_changes(campaign: str, period: str, changes: Mapping[str, Any]) -> None:
    """Shows old against new before anything is replaced: persons by category, findings by list, what appears and vanishes."""
    lines = [{"项目": _name(names, entry["name"]), "原": _count(entry["old"]), "新": entry["new"],
              "增减": entry["new"] - (entry["old"] or 0), "新增": _count(entry["appear"]), "移除": _count(entry["vanish"]),
              "种类": kind}
             for kind, part, names in (("类别", "categories", changes["names"]), ("清单", "lists", changes["names"]))
             for entry in changes[part]]
    against = changes["against"]
    beside = f"与第 {against['run']} 次比对（{against['period']}）相比" if against else "首次比对"
    does = "试算，未替换" if changes["dry_run"] else "即将替换"
    create_table_artifact(table=lines, key=key_of(campaign, "changes", period),
                          description=f"{campaign} {period} 新旧对照：{does}；{beside}"
                                      + (f"；会被拦下：{changes['stopped_by']}" if changes["stopped_by"] else ""))


def _name(names: Mapping[str, str], entry: str) -> str:
    return names.get(entry, entry)


def _count(value: int | None) -> int | str:
    return "–" if value is None else value


def publish_documents(campaign: str, kind: str, period: str) -> None:
    """Links to the documents of a kind for a period. They lie on the machine that runs canbao: a link is the place there."""
    with transaction() as tx:
        rows = documents.of_period(tx, campaign, kind, period)
    for place in dict.fromkeys(row["path"] for row in rows):
        document = Path(place)
        create_link_artifact(link=document.as_uri(), link_text=document.name, description=f"{campaign} {period} {document.name}",
                             key=key_of(campaign, kind.replace(":", "-"), period, document.suffix.removeprefix(".")))


class Progress:
    """A progress bar of a run's chunks. It is moved every ten seconds, not at every chunk: each move is a request."""

    def __init__(self, campaign: str, period: str, steps: int) -> None:
        self._steps, self._done, self._moved = steps, 0, time.monotonic()
        made = create_progress_artifact(progress=0.0, key=key_of(campaign, "progress", period),
                                        description=f"{campaign} {period} 比对进度")
        assert isinstance(made, UUID)  # it is a coroutine only where there is a running loop
        self._artifact = made

    def step(self) -> None:
        """One chunk more is done."""
        self._done += 1
        if time.monotonic() - self._moved >= MOVED_EVERY_SECONDS:
            self._moved = time.monotonic()
            self._show()

    def finish(self) -> None:
        """All is done."""
        self._done = self._steps
        self._show()

    def _show(self) -> None:
        update_progress_artifact(self._artifact, progress=round(100 * self._done / max(1, self._steps), 1))
