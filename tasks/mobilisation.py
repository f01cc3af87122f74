"""What mobilisation hands out: the operating handbook and one task letter per unit (C12, C18)."""

from __future__ import annotations

from datetime import datetime

from documents.model import (
    Deadline,
    DeadlineLine,
    DutyLine,
    FeedDuty,
    HandbookContent,
    LadderLine,
    ListGuide,
    OfficialHead,
    ParameterLine,
    PhaseLine,
    PolicyLine,
    ProgressLine,
    ProgressTable,
    RoleLine,
    TaskLetterContent,
)
from models.cadences import CADENCES, WEEK_DAY_NAMES, WEEK_DAYS
from models.database import transaction
from models.plan import Cadence, Due, Feed, FindingList, Obligation, Organisation, OwnerCase, Plan
from models.store import documents
from rules.deadlines import Expected, expected
from rules.periods import period_name
from tasks.campaign import folder, plan_in_force, short_name, today
from tasks.contents import contact, dispositions, origin
from tasks.effect import effect
from tasks.originals import sha256_of

COLUMN_WORDS = {"township": "所在镇（街道）", "employer_township": "单位所在镇（街道）", "department": "行业主管部门"}


def basis(plan: Plan) -> str:
    """「根据《…》（文号）要求」."""
    return f"《{plan.document.title}》（{plan.document.number}）"


def _targets_of(plan: Plan, code: str | None = None) -> tuple[ProgressTable, ...]:
    tables = []
    for target in plan.targets:
        indicator = plan.item("indicators", target.indicator)
        lines = tuple(ProgressLine(label=short_name(plan, org), unit=indicator.unit, target=level)
                      for org, level in target.level.items() if code in (None, org))
        if lines:
            tables.append(ProgressTable(indicator=indicator.name, unit=indicator.unit, lines=lines))
    return tuple(tables)


def due_in_words(cadence: Cadence, due: Due) -> str:
    """「次月10日前」, 「2021年12月5日前」, 「当周周五17:00前」: the nominal day, in words."""
    hour = f"{due.at:%H:%M}" if due.at else ""
    if due.date:
        return f"{due.date.year}年{due.date.month}月{due.date.day}日{hour}前"
    if due.days_after_end is not None:
        return f"期末后{due.days_after_end}日内" + (f"（{hour}前）" if hour else "")
    if due.days_before_end is not None:
        return f"期末{due.days_before_end}日前" + (f"（{hour}前）" if hour else "")
    if due.weekday is not None:
        when = {0: "期内最后一个", 1: "次"}.get(due.weeks_after, f"期后第{due.weeks_after}个")
        if cadence.every == "week":
            when = {0: "当周", 1: "次周"}.get(due.weeks_after, f"第{due.weeks_after}周后")
        return f"{when}{WEEK_DAY_NAMES[WEEK_DAYS.index(due.weekday)]}{hour}前"
    when = {0: "当月", 1: "次月"}.get(due.months_after, f"期后第{due.months_after}个月")
    return f"{when}{'末' if due.day == 'last_day' else f'{due.day}日'}{hour}前"


def rhythm_in_words(cadence: Cadence) -> str:
    """「每月」, 「每周」, 「每5天」."""
    return f"每{cadence.days}天" if cadence.days else CADENCES[cadence.every].name


def _feed_duty(plan: Plan, feed: Feed) -> FeedDuty:
    return FeedDuty(feed=feed.name, providers=tuple(short_name(plan, code) for code in feed.providers),
                    rhythm=rhythm_in_words(feed.cadence), due=due_in_words(feed.cadence, feed.due), required=feed.required)


def _named(plan: Plan, case: OwnerCase) -> str:
    return short_name(plan, case.org) if case.org else COLUMN_WORDS.get(case.column or "", "相关单位")


def _list_guide(plan: Plan, entry: FindingList) -> ListGuide:
    owners = dict.fromkeys(_named(plan, case) for case in entry.owner)
    return ListGuide(name=entry.name, reason=entry.reason, owner="、".join(owners), closes_when=entry.closes_when,
                     co_owners=tuple(dict.fromkeys(_named(plan, case) for case in entry.co_owners)))


def _policy_lines(plan: Plan) -> tuple[PolicyLine, ...]:
    names = {entry.id: entry.name for entry in plan.lists}
    return tuple(PolicyLine(policy.name, rule.group, _named(plan, rule.lead), rule.measure,
                            tuple(names[name] for name in rule.lists))
                 for policy in plan.policies for rule in policy.rules)


def _deadline(row: Expected, who: str) -> DeadlineLine:
    return DeadlineLine(what=row.name, who=who, period_name=period_name(row.period),
                        due=Deadline(row.nominal, row.effective))


def _all_deadlines(plan: Plan) -> tuple[DeadlineLine, ...]:
    """One line per obligation and period, not per organisation."""
    owing: dict[tuple[str, str], list[Expected]] = {}
    for row in expected(plan):
        if row.kind == "report":
            owing.setdefault((row.item, row.period), []).append(row)
    lines = []
    for (item, _), rows in owing.items():
        entry: Obligation = plan.item("obligations", item)
        kinds = {"township": "各镇（街道）", "department": "各有关部门", "county": "各县市", "zone": "各管委会",
                 "agency": "各经办机构"}
        if len(rows) <= 3:
            who = "、".join(short_name(plan, row.organisation) for row in rows)
        else:
            who = "、".join(kinds[kind] for kind in entry.who.kinds if kind in kinds) or f"{len(rows)}个单位"
        lines.append(_deadline(rows[0], who))
    return tuple(sorted(lines, key=lambda line: line.due.effective))


def _ladder_lines(plan: Plan) -> tuple[LadderLine, ...]:
    roles = {"clerk": "经办人", "leader": "分管领导", "director": "主要领导", "approver": "审批人"}
    posts = {"self": "责任单位", "to": "受理单位", "parent": "上级单位"}
    lines = []
    for ladder in plan.ladders:
        for step in ladder.steps:
            days = step.offset_working_days
            when = "到期当日" if days == 0 else f"到期前{-days}个工作日" if days < 0 else f"逾期第{days}个工作日"
            to = "、".join(f"{posts.get(entry.org) or short_name(plan, entry.org)}{roles[entry.role]}" for entry in step.to)
            lines.append(LadderLine(when=f"{ladder.name}：{when}", to=to, what=step.name))
    return tuple(lines)


@effect("编制工作手册 handbook")
def issue_handbook(campaign: str, as_of: datetime) -> dict[str, int]:
    """Writes the operating handbook from the plan (C12)."""
    from documents.handbook import write_handbook

    plan = plan_in_force(campaign)
    day = today(plan, as_of)
    content = HandbookContent(
        origin=origin(plan, plan.office, "", day), issuer=plan.organisation(plan.office).name,
        title=f"{plan.name}工作操作手册", issued_on=day, basis=basis(plan), purpose=plan.purpose, contact=contact(plan),
        phases=tuple(PhaseLine(phase.name, phase.starts, phase.ends, tuple(
            [step.name for step in phase.steps] + [duty.what for duty in plan.duties if duty.phase == phase.id]))
            for phase in plan.phases),
        roles=tuple(RoleLine(org.short, org.responsibility) for org in plan.organisations if org.responsibility),
        targets=_targets_of(plan), deadlines=_all_deadlines(plan),
        feeds=tuple(_feed_duty(plan, feed) for feed in plan.feeds),
        lists=tuple(_list_guide(plan, entry) for entry in plan.lists), dispositions=dispositions(plan),
        policies=_policy_lines(plan), ladder=_ladder_lines(plan),
        parameters=tuple(ParameterLine(name, f"{entry.value:g}", entry.source)
                         for name, entry in plan.parameters.items()),
        not_collected=tuple(entry.note or entry.source for entry in plan.not_built),
    )
    path = folder(campaign, "documents", "mobilisation") / f"{plan.name}工作操作手册.docx"
    write_handbook(path, content)
    with transaction() as tx:
        new = documents.record(tx, campaign_id=campaign, kind="handbook", period="", organisation=plan.office,
                               path=str(path), sha256=sha256_of(path), made_at=as_of, rows=0, content_sha256="")
    return {"documents": 1, "new": int(new)}


def _may_own(plan: Plan, case: OwnerCase, org: Organisation) -> bool:
    """Whether a unit can lead by this case: named outright, or of the kind that the profile column names."""
    if case.org is not None:
        return case.org == org.code
    if case.column == "department":
        return any(org.code in feed.providers for feed in plan.feeds if feed.feed == "construction_projects")
    return org.kind == "township"


def _owing_units(plan: Plan) -> list[Organisation]:
    codes = {row.organisation for row in expected(plan)}
    return [org for org in plan.organisations if org.code in codes]


@effect("下发任务告知书 task letters")
def issue_task_letters(campaign: str, as_of: datetime) -> dict[str, int]:
    """Writes one letter per unit that owes anything: its targets, files, reports, lists and duties (C18)."""
    from documents.handbook import write_task_letter

    plan = plan_in_force(campaign)
    day = today(plan, as_of)
    rows = expected(plan)
    made = []
    for org in _owing_units(plan):
        own = [row for row in rows if row.organisation == org.code and row.kind == "report"]
        acknowledge = next((_deadline(row, "").due for row in own
                            if plan.item("obligations", row.item).form == "acknowledgement"), None)
        content = TaskLetterContent(
            origin=origin(plan, org.code, "", day),
            head=OfficialHead(banner=plan.organisation(plan.office).name, issuer=plan.organisation(plan.office).name,
                              number="", title=f"关于{plan.name}工作任务的告知书", addressees=(org.name,), issued_on=day),
            basis=basis(plan), contact=contact(plan),
            targets=tuple(ProgressLine(label=table.indicator, unit=table.unit, target=line.target)
                          for table in _targets_of(plan, org.code) for line in table.lines),
            feeds=tuple(_feed_duty(plan, feed) for feed in plan.feeds if org.code in feed.providers),
            deadlines=tuple(_deadline(row, org.short) for row in own),
            lists=tuple(_list_guide(plan, entry) for entry in plan.lists
                        if any(_may_own(plan, case, org) for case in entry.owner)),
            duties=tuple(DutyLine(duty.what, duty.by) for duty in plan.duties if org in plan.select(duty.who)),
            acknowledge_by=acknowledge,
        )
        path = folder(campaign, "documents", "mobilisation") / f"任务告知书_{org.short}.docx"
        write_task_letter(path, content)
        made.append({"campaign_id": campaign, "kind": "task_letter", "period": "", "organisation": org.code,
                     "path": str(path), "sha256": sha256_of(path), "made_at": as_of, "rows": len(own),
                     "content_sha256": ""})
    with transaction() as tx:
        new = sum(documents.record(tx, **entry) for entry in made)
    return {"documents": len(made), "new": new}
