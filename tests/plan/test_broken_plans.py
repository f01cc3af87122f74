"""One broken thing at a time: the fault must name its place and its cure, and carry a line."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from comparison import expressions, plan_check
from models import plan_file
from models.errors import CanbaoError, PlanUnsound
from models.plan import Plan
from rules import soundness
from tests.plan.a_plan import a_plan, plan_text
from tests.plan.a_plan import plan_file as written

GONE = object()
"""The key is left out."""
CAMPAIGNS = sorted((plan_file.REPOSITORY / "campaigns").glob("*/plan.yaml"))


def broken(**changes: Any) -> dict[str, Any]:
    """A plan with each ``a__0__b`` set to a value, or left out; ``a__add`` appends to a list."""
    plan = a_plan()
    for path, value in changes.items():
        *way, last = path.split("__")
        at: Any = plan
        for step in way:
            at = at[int(step)] if step.isdigit() else at.setdefault(step, {})
        if value is GONE:
            del at[int(last) if last.isdigit() else last]
        elif last == "add":
            at.append(value)
        else:
            at[int(last) if last.isdigit() else last] = value
    return plan


def an_organisation(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "name": f"单位{code}", "short": code, "kind": "department", "parent": "gov", "source": "C24",
            "contacts": [{"role": role, "title": "岗位"} for role in ("clerk", "leader")], **more}


def again(section: str, index: int = 0, **more: Any) -> dict[str, Any]:
    """A plan that holds one item of a section a second time."""
    items = a_plan()[section]
    return a_plan(**{section: [*items, copy.deepcopy(items[index]) | more]})


def of(expression: str) -> dict[str, Any]:
    """A plan whose list asks this."""
    return broken(lists__0__where=expression)


A_SUM = [{"id": "progress", "name": "进展"}, {"id": "visits", "name": "走访", "kind": "number"},
         {"id": "total", "name": "合计", "kind": "number", "sum_of": ["vists"]}]
A_SUPERVISION = {"id": "quarterly", "name": "季度督导", "kind": "quarterly", "about": {"kinds": ["township"]},
                 "cadence": {"every": "quarter", "first": "2021-04", "last": "2021-12"}, "due": {"day": 20},
                 "decided_by": "office", "source": "C23"}
STEP = 'ladders[0] "reports".steps'
LIST_WHERE = 'lists[0] "uninsured".where'

SCHEMA = {
    "unknown top-level key": (a_plan(phase=[]), "phase", "Did you mean `phases`?"),
    "unknown key in an item": (
        broken(obligations__0__dues=1), 'obligations[0] "monthly_report".dues', "Did you mean `due`?"),
    "unknown key in a due": (broken(obligations__0__due__dya=1), ".due.dya", "Did you mean `day`?"),
    "unknown key in a dictionary's entry": (
        broken(parameters__interruption_months__units="month"),
        "parameters.interruption_months.units", "Did you mean `unit`?"),
    "missing key": (broken(obligations__0__to=GONE), 'obligations[0] "monthly_report".to', "Add `to:`"),
    "missing source": (broken(targets__0__source=GONE), 'targets[0] "insured_total".source', "Add `source:`"),
    "a word for a number": (
        broken(guards__0__max_share_of_population="half"), "max_share_of_population", "Write a number without quotes."),
    "a quoted number": (
        broken(parameters__interruption_months__value="3"), "parameters.interruption_months.value", "without quotes"),
    "a number for a text": (broken(region__code=530999), "region.code", "goes into quotes"),
    "a word outside the enumeration": (
        broken(phases__0__kind="mobilization"),
        'phases[0] "launch".kind', "Did you mean `mobilisation`? Allowed: mobilisation, preparation"),
    "unknown feed": (broken(feeds__0__feed="populations"), "feeds[0]", "Did you mean `population`?"),
    "unknown list": (broken(guards__0__list="uninsureds"), "guards[0]", "Did you mean `uninsured`?"),
    "a day that does not exist": (
        broken(document__issued="2021-02-30"), "document.issued", "February 2021 has 28 days."),
    "a date written otherwise": (broken(document__issued="2021.4.20"), "document.issued", "Write YYYY-MM-DD"),
    "a date as a number": (broken(document__issued=20210420), "document.issued", "Write YYYY-MM-DD"),
    "a month written otherwise": (
        broken(obligations__0__cadence__first="2021-5"), ".cadence.first", "Write a month as YYYY-MM"),
    "an hour written otherwise": (broken(ladders__0__steps__0__at="9"), f'{STEP}[0] "remind".at', "Write HH:MM"),
    "an identifier in capitals": (broken(obligations__0__id="Monthly"), "obligations[0]", "small letters"),
    "a due day beyond 31": (broken(obligations__0__due__day=32), ".due.day", "Give at most 31."),
    "a due in two ways": (broken(obligations__0__due__date="2021-06-02"), ".due", "Give exactly one of"),
    "a cadence without its months": (broken(obligations__0__cadence={"every": "month"}), ".cadence", "Add them."),
    "a selector of nobody": (broken(obligations__0__who={}), ".who", "Give `kinds`, `codes` or both."),
    "a share above one": (broken(guards__0__max_share_of_population=40), "max_share_of_population", "Give at most 1"),
    "an empty list": (broken(dispositions=[]), "dispositions", "at least one entry"),
    "a mapping for a list": (broken(phases={}), "phases", "Write a list"),
    "an empty section": (broken(indicators__add=None), "indicators[3]", "Write keys with values"),
    "unknown time zone": (a_plan(time_zone="Asia/Chengjiang"), "time_zone", "Use an IANA name"),
    "another version of the format": (a_plan(canbao=2), "canbao", "Allowed: 1"),
}

ACROSS = {
    "organisation twice": (again("organisations", 4), 'organisations[6] "east".code', "its own `code`"),
    "unknown parent": (
        broken(organisations__4__parent="gove"), 'organisations[4] "east".parent', "Did you mean `gov`?"),
    "ring of parents": (
        broken(organisations__0__parent="east"), 'organisations[0] "gov".parent', "the uppermost has none"),
    "validity reversed": (
        broken(organisations__5__valid_from="2022-01-01", organisations__5__valid_to="2021-01-01"),
        'organisations[5] "west".valid_to', "Swap `valid_from` and `valid_to`"),
    "unknown predecessor": (
        broken(organisations__add=an_organisation("heir", succeeds=["rensh"])),
        'organisations[6] "heir".succeeds[0]', "Did you mean `renshe`?"),
    "predecessor without an end": (
        broken(organisations__add=an_organisation("heir", succeeds=["gongan"])),
        "succeeds[0]", "Give `gongan` a `valid_to`"),
    "succession with a gap": (
        broken(organisations__3__valid_to="2021-06-30",
               organisations__add=an_organisation("heir", succeeds=["gongan"], valid_from="2021-08-01")),
        'organisations[6] "heir".succeeds[0]', "Let `heir` begin on 2021-07-01."),
    "succession with an overlap": (
        broken(organisations__3__valid_to="2021-06-30",
               organisations__add=an_organisation("heir", succeeds=["gongan"], valid_from="2021-06-30")),
        'organisations[6] "heir".succeeds[0]', "Let it begin on 2021-07-01"),
    "ring of successors": (
        broken(organisations__2__succeeds=["gongan"], organisations__3__succeeds=["renshe"]),
        'organisations[2] "renshe".succeeds[0]', "the later of the two"),
    "alias of two townships": (
        broken(organisations__5__aliases=["东山"]), 'organisations[5] "west"', "Keep the name or alias with one"),
    "unknown office": (a_plan(office="offices"), "office", "Did you mean `office`?"),
    "unknown owner of last resort": (a_plan(owner_of_last_resort="nobody"), "owner_of_last_resort", "The plan defines"),
    "office that ends midway": (broken(organisations__1__valid_to="2021-08-31"), "office", "successor's `succeeds`"),
    "campaign reversed": (a_plan(starts="2022-01-01"), "ends", "Swap `starts` and `ends`"),
    "holiday and workday at once": (
        broken(calendar__extra_holidays=["2021-06-01"], calendar__extra_workdays=["2021-06-01"], ),
        "calendar", "Take it out of `extra_holidays`"),
    "phase twice": (again("phases"), 'phases[4] "launch".id', "its own `id`"),
    "phase reversed": (broken(phases__0__ends="2021-03-31"), 'phases[0] "launch".ends', "Swap `starts` and `ends`"),
    "phase outside the campaign": (broken(phases__3__ends="2022-01-31"), 'phases[3] "accept"', "the campaign's dates"),
    "phase without an end": (broken(phases__0__ends=GONE), 'phases[0] "launch".ends', "Give the last day."),
    "step outside its phase": (
        broken(phases__1__steps__0__ends="2021-10-01"),
        'phases[1] "compare".steps[0] "first_lists"', "Correct the step or the phase."),
    "unknown pilot": (broken(phases__2__pilots=["easr"]), 'phases[2] "trial".pilots[0]', "Did you mean `east`?"),
    "pilot without a place": (broken(phases__2__pilots=[]), 'phases[2] "trial".pilots', "Name the organisations"),
    "due day that June lacks": (
        broken(obligations__0__due__day=31), 'obligations[0] "monthly_report".due.day', "Use day 30 or `last_day`."),
    "due before the period begins": (
        broken(obligations__0__due={"days_before_end": 40}),
        'obligations[0] "monthly_report".due', "Count from the period's end"),
    "feed due before its period ends": (
        broken(feeds__0__due={"day": 25, "months_after": 0}),
        'feeds[0] "population".due', "Count from the period's end"),
    "once without a date": (
        broken(obligations__1__due={"day": 5}), 'obligations[1] "summary".due', "Give `due: {date:"),
    "one date for many periods": (broken(obligations__0__due={"date": "2021-12-05"}), ".due.date", "cadence `once`"),
    "year mistyped by a decade": (
        broken(obligations__0__cadence__first="2012-05"), ".cadence.first", "correct the year"),
    "percent of nothing": (
        broken(indicators__1__denominator=GONE), 'indicators[1] "insured_share".denominator', "Say of what"),
    "published figure without a feed": (
        broken(indicators__1__denominator={"statistic": "residents"}),
        "denominator.statistic", "Add the feed `statistics`"),
    "unknown indicator": (
        broken(targets__0__indicator="insure"), 'targets[0] "insured_total".indicator', "Did you mean `insured`?"),
    "target of an unknown organisation": (broken(targets__0__level__eastt=0), "level.eastt", "Did you mean `east`?"),
    "base that does not follow": (broken(targets__0__derived_base__east=400), "derived_base.east", "Write 500."),
    "sum that does not follow": (
        broken(targets__0__derived_total=900), 'targets[0] "insured_total".derived_total', "Write 1000."),
    "average outside its parts": (broken(targets__0__indicator="paid"), "derived_total", "between 400 and 600"),
    "target measured after the end": (
        broken(targets__0__measured_on="2022-01-01"), "measured_on", "between 2021-04-01"),
    "two levels for one": (again("targets", id="other"), 'targets[1] "other".level.east', "Keep one of the two."),
    "feed twice": (again("feeds"), 'feeds[1] "population".feed', "its own `feed`"),
    "unknown provider": (broken(feeds__0__providers=["gonganju"]), 'feeds[0] "population".providers[0]', "`gongan`?"),
    "provider that is gone": (
        broken(organisations__3__valid_to="2021-04-30"), 'feeds[0] "population".providers', "Name the successors"),
    "unknown ladder of a feed": (broken(feeds__0__ladder="report"), 'feeds[0] "population".ladder', "`reports`?"),
    "category twice": (
        broken(categories__1__id="out_of_scope", lists__0__where="true"),
        'categories[1] "out_of_scope".id', "its own `id`"),
    "last category with a condition": (
        broken(categories__3__where="is_student"), 'categories[3] "uninsured".where', "Write `true`"),
    "catch-all in the middle": (
        broken(categories__1__where="(TRUE)"), 'categories[1] "insured".where', "Move it to the end"),
    "list twice": (again("lists"), 'lists[1] "uninsured".id', "its own `id`"),
    "last owner with a condition": (
        broken(lists__0__owner=[{"when": "is_student", "org": "renshe"}]),
        'lists[0] "uninsured".owner[0].when', "Add a last case without `when`."),
    "owner never reached": (broken(lists__0__owner__0__when="true"), "owner[0].when", "Move it to the end"),
    "unknown owner": (broken(lists__0__owner__0__org="rensh"), "owner[0].org", "Did you mean `renshe`?"),
    "unknown co-owner": (broken(lists__0__co_owners__0__org="rensh"), "co_owners[0].org", "Did you mean `renshe`?"),
    "ledger of an undefined list": (
        broken(ledgers__0__lists=["no_card"]), 'ledgers[0] "hardship_ledger".lists[0]', "The plan defines: uninsured."),
    "guard of an undefined list": (broken(guards__0__list="no_card"), 'guards[0] "no_card".list', "The plan defines"),
    "nothing claims": (broken(dispositions__0__claims=False), "dispositions", "Set `claims: true` on one."),
    "nothing excuses": (broken(dispositions__1__excuses=False), "dispositions", "Set `excuses: true` on one."),
    "claims and excuses": (broken(dispositions__0__excuses=True), 'dispositions[0] "enrolled"', "to false"),
    "obligation twice": (again("obligations"), 'obligations[2] "monthly_report".id', "its own `id`"),
    "unknown who": (broken(obligations__0__who__codes=["eastt"]), ".who.codes[0]", "Did you mean `east`?"),
    "who of no kind": (
        broken(obligations__0__who__kinds=["village"]), ".who.kinds[0]", "Kinds in this plan: department"),
    "who less everybody": (
        broken(obligations__1__who__except_codes=["east", "west"]),
        'obligations[1] "summary".who', "fewer `except_codes`"),
    "who is gone by then": (
        broken(organisations__4__valid_to="2021-05-30",
               organisations__5__valid_to="2021-10-31",
               obligations__0__who={"kinds": ["township"]}),
        'obligations[0] "monthly_report".who', "Name the successors too"),
    "unknown addressee": (broken(obligations__0__to="officer"), 'obligations[0] "monthly_report".to', "`office`?"),
    "unknown ladder": (broken(obligations__0__ladder="report"), 'obligations[0] "monthly_report".ladder', "`reports`?"),
    "unknown phase of a report": (
        broken(obligations__0__phase="compar"), 'obligations[0] "monthly_report".phase', "`compare`?"),
    "part of a report twice": (broken(obligations__0__content__1__id="progress"), ".content", "its own `id`"),
    "unknown phase of a duty": (broken(duties__0__phase="lunch"), 'duties[0] "launch".phase', "Did you mean `launch`?"),
    "duty after the campaign": (broken(duties__0__by="2022-04-30"), 'duties[0] "launch".by', "Give a day between"),
    "steps out of order": (
        broken(ladders__0__steps__0__offset_working_days=5),
        f'{STEP}[1] "urge".offset_working_days', "Order the steps"),
    "step twice": (broken(ladders__0__steps__1__id="remind"), f'{STEP}[1] "remind".id', "its own `id`"),
    "step in quiet hours": (broken(ladders__0__steps__0__at="18:00"), f'{STEP}[0] "remind".at', "before 18:00"),
    "step just before quiet hours end": (
        broken(ladders__0__steps__0__at="08:29"), f'{STEP}[0] "remind".at', "from 08:30"),
    "hour with a time zone": (
        broken(ladders__0__steps__0__at="09:00+08:00"), f'{STEP}[0] "remind".at', "Write HH:MM alone."),
    "escalation before the due day": (
        broken(ladders__0__steps__1__offset_working_days=0), f'{STEP}[1] "urge".offset_working_days', "at least 1"),
    "candidate sent to the accused": (
        broken(ladders__0__steps__2__to=[{"org": "self", "role": "leader"}]), f'{STEP}[2] "case".to', "Address `to`"),
    "bulletin that only its subject reads": (
        broken(ladders__0__steps__2__kind="bulletin", ladders__0__steps__2__to=[{"org": "self", "role": "leader"}]),
        f'{STEP}[2] "case".to', "as well"),
    "repeats without an interval": (
        broken(ladders__0__steps__1__repeat_every_working_days=GONE),
        f'{STEP}[1] "urge".repeat_times', "Add `repeat_every_working_days`."),
    "interval without repeats": (
        broken(ladders__0__steps__1__repeat_times=GONE),
        f'{STEP}[1] "urge".repeat_every_working_days', "Add `repeat_times`"),
    "unknown placeholder": (
        broken(ladders__0__steps__0__wording__body="{unit}请报送"), f'{STEP}[0] "remind".wording.body', "{org}"),
    "misspelt placeholder": (
        broken(ladders__0__steps__0__wording__body="{reprot}请报送"),
        f'{STEP}[0] "remind".wording.body', "Did you mean `report`?"),
    "open brace": (
        broken(ladders__0__steps__0__wording__subject="{org"), f'{STEP}[0] "remind".wording.subject', "Write {name}"),
    "recipient of an unknown organisation": (
        broken(ladders__0__steps__2__to=[{"org": "offcie", "role": "leader"}]),
        f'{STEP}[2] "case".to[0] "offcie".org', "Did you mean `office`?"),
    "candidate for a post that is not there": (
        broken(ladders__0__steps__2__to=[{"org": "to", "role": "director"}]),
        f'{STEP}[2] "case".to[0] "to".role', "`role: director`"),
    "reminder for a post that is not there": (
        broken(organisations__5__contacts=[]),
        f'{STEP}[0] "remind".to[0] "self".role', "Add a contact with `role: clerk`"),
    "parent of one without a parent": (
        broken(organisations__4__parent=GONE), f'{STEP}[1] "urge".to[1] "parent".org', "Give each a `parent`"),
    "bulletin without its number": (
        broken(bulletins__0__number_pattern="〔{year}〕号"),
        'bulletins[0] "monthly_bulletin".number_pattern', "〔{year}〕{n}号"),
    "bulletin on an unknown indicator": (broken(bulletins__0__indicators=["insurde"]), ".indicators[0]", "`insured`?"),
    "bulletin on an unknown report": (
        broken(bulletins__0__obligations=["month_report"]), ".obligations[0]", "`monthly_report`?"),
    "sum of a number the report does not ask for": (
        broken(obligations__0__content=A_SUM), 'obligations[0] "monthly_report".content[2].sum_of', "Did you mean `visits`?"),
    "number held against an unknown figure": (
        broken(obligations__0__content=[{"id": "visits", "name": "走访", "kind": "number", "recorded": "chekced"}]),
        'obligations[0] "monthly_report".content[0].recorded', "Did you mean `checked`?"),
    "supervision of an unknown target": (
        broken(supervisions=[{**A_SUPERVISION, "targets": ["insured_totl"]}]),
        'supervisions[0] "quarterly".targets[0]', "Did you mean `insured_total`?"),
    "supervision decided by nobody": (
        broken(supervisions=[{**A_SUPERVISION, "decided_by": "offcie"}]), ".decided_by", "Did you mean `office`?"),
    "supervision of nobody": (
        broken(supervisions=[{**A_SUPERVISION, "about": {"kinds": ["county"]}}]), ".about", "Kinds in this plan"),
    "weights of 110": (broken(acceptance__items__0__weight=70), "acceptance.items", "Let them add up to 100."),
    "item of an unknown target": (
        broken(acceptance__items__0__target="total"),
        'acceptance.items[0] "target".target', "The plan defines: insured_total."),
    "item of an unknown report": (
        broken(acceptance__items__1__obligation="report"),
        'acceptance.items[1] "punctual".obligation', "`monthly_report`"),
    "judged by nobody": (
        broken(acceptance__items__2__judged_by="offices"), 'acceptance.items[2] "judged".judged_by', "`office`?"),
    "final before provisional": (broken(acceptance__final_on="2021-12-01"), "acceptance.final_on", "Swap the two"),
    "final period nobody delivers": (
        broken(acceptance__final_period="2021-12"), "acceptance.final_period", "The last month delivered is 2021-11."),
    "final period after the result": (
        broken(acceptance__final_period="2022-01"), "acceptance.final_period", "Name an earlier month"),
    "commended and criticised": (
        broken(acceptance__candidates__commend_score_at_least=60),
        "acceptance.candidates.commend_score_at_least", "Give more than 60"),
    "decided by nobody": (
        broken(acceptance__candidates__decided_by="govt"), "acceptance.candidates.decided_by", "`gov`?"),
    "decided by a unit without a post": (
        broken(organisations__add=an_organisation("jury", contacts=[]), acceptance__candidates__decided_by="jury"),
        "acceptance.candidates.decided_by", "Give it a contact."),
    "two eyes only": (
        broken(approval__prepared_by="gov", approval__approved_by="gov", approval__approver_role="leader", ),
        "approval.prepared_by", "second contact"),
    "approver without a post": (broken(approval__approved_by="renshe"), "approval.approver_role", "`role: approver`"),
    "retention of a kind forgotten": (broken(retention__2=GONE), "retention", "`keep_days`"),
    "retention twice": (again("retention"), 'retention[8] "originals".what', "its own `what`"),
    "audit deleted early": (broken(retention__7__keep_days=180), 'retention[7] "audit".keep_days', "183 days or more"),
}

EXPRESSIONS = {
    "no SQL": (of("is_student and"), LIST_WHERE, "Check operators, quotes and brackets."),
    "two statements": (of("is_student; drop table person"), LIST_WHERE, "Join conditions by AND or OR."),
    "a statement": (of("drop table person"), LIST_WHERE, "the profile's own columns"),
    "a select": (of("select true"), LIST_WHERE, "the profile's own columns"),
    "a subquery": (of("age_years > (select 1)"), LIST_WHERE, "the profile's own columns"),
    "exists": (of("exists (select 1)"), LIST_WHERE, "the profile's own columns"),
    "in a subquery": (of("village in (select village from person)"), LIST_WHERE, "the profile's own columns"),
    "a function that reads a file": (of("read_text('/etc/passwd') is not null"), LIST_WHERE, "Functions allowed: abs"),
    "a function that reads the environment": (of("getenv('HOME') is not null"), LIST_WHERE, "Functions allowed: abs"),
    "a misspelt function": (of("lenght(name) > 1"), LIST_WHERE, "Did you mean length()?"),
    "an aggregate": (of("count(*) > 1"), LIST_WHERE, "Functions allowed: abs"),
    "a window": (of("sum(age_years) over () > 1"), LIST_WHERE, "Functions allowed"),
    "the clock": (of("birth_date < current_date"), LIST_WHERE, "as of the period's end"),
    "the clock as now()": (of("birth_date < now()"), LIST_WHERE, "as of the period's end"),
    "a comment": (of("is_student -- only those\n"), LIST_WHERE, "Write it into `note`."),
    "a comment in stars": (of("/* only those */ is_student"), LIST_WHERE, "Write it into `note`."),
    "a star": (of("*"), LIST_WHERE, "the profile's own columns"),
    "a prefix": (of("person.is_student"), LIST_WHERE, "Write `is_student`."),
    "a question mark": (of("age_years > ?"), LIST_WHERE, "Write `$name`"),
    "an unknown column": (of("is_studnet"), LIST_WHERE, "Did you mean `is_student`?"),
    "an unknown column in a cast": (of("CAST(age AS INTEGER) > 1"), LIST_WHERE, "Did you mean"),
    "a column of another subject": (of("is_dust_hazard"), LIST_WHERE, "It belongs to the employer profile"),
    "a text in double quotes": (of('hukou_type = "rural"'), LIST_WHERE, "'rural'"),
    "an unknown parameter": (of("age_years > $pension_min_age"), LIST_WHERE, "Did you mean `pension_min_age_years`?"),
    "an unknown category": (of("category = 'uninsurde'"), LIST_WHERE, "Did you mean `uninsured`?"),
    "an unknown township": (of("township IN ('east', 'wset')"), LIST_WHERE, "Did you mean `west`?"),
    "a number for an answer": (of("age_years"), LIST_WHERE, "Compare it with something"),
    "types that do not fit": (of("age_years = 'sixteen'"), LIST_WHERE, "Compare like with like"),
    "a text compared with a number": (of("employee_pension_last_paid = 202105"), LIST_WHERE, "Compare like with like"),
    "a date that does not exist in SQL": (of("birth_date < DATE '2005-13-01'"), LIST_WHERE, "Compare like with like"),
    "a cast that may fail": (of("CAST(school AS INTEGER) > 1"), LIST_WHERE, "Use TRY_CAST"),
    "a remainder that may be by zero": (of("10 % age_years = 0"), LIST_WHERE, "Compare like with like"),
    "a pattern from the rows": (of("regexp_matches(name, village)"), LIST_WHERE, "Write the pattern in single quotes."),
    "an endless expression": (of("is_student or " * 400 + "is_student"), LIST_WHERE, "fewer words"),
    "brackets without end": (of("(" * 1900 + "true" + ")" * 1900), LIST_WHERE, "Check operators, quotes and brackets."),
    "category within a category": (
        broken(categories__1__where="category = 'uninsured'"), 'categories[1] "insured".where', "rely on the order"),
    "an owner's condition": (
        broken(lists__0__owner__0__when="is_hardships"),
        'lists[0] "uninsured".owner[0].when', "Did you mean `is_hardship`?"),
    "a co-owner's condition": (broken(lists__0__co_owners__0__when="name"), "co_owners[0].when", "Compare it"),
    "an owner's column": (broken(lists__0__owner__1__column="village"), "owner[1].column", "employer_township"),
    "an unknown owner's column": (
        broken(lists__0__owner__1__column="townships"), "owner[1].column", "Did you mean `township`?"),
    "a numerator": (
        broken(indicators__0__numerator={"where": "any_pension_activ"}),
        'indicators[0] "insured".numerator.where', "Did you mean `any_pension_active`?"),
    "a sum of texts": (
        broken(indicators__2__numerator__sum="name"), 'indicators[2] "paid".numerator.sum', "a column of figures"),
    "a denominator of another subject": (
        broken(indicators__1__denominator={"of": "project", "where": "is_student"}),
        "denominator.where", "It belongs to the person profile"),
    "a breakdown by no organisation": (
        broken(indicators__0__by="village"), 'indicators[0] "insured".by', "Columns that name one: township"),
}


@pytest.mark.parametrize(("plan", "where", "cure"), [
    pytest.param(*case, id=name) for name, case in (SCHEMA | ACROSS | EXPRESSIONS).items()
])
def test_a_broken_plan_is_refused_with_place_and_cure(
    tmp_path: Path, plan: dict[str, Any], where: str, cure: str
) -> None:
    report = plan_check.check(written(tmp_path, plan))

    told = [str(fault) for fault in report.faults]
    assert any(where in fault.where and cure in fault.cure for fault in report.faults), told
    assert all(fault.line and fault.what and fault.cure for fault in report.faults), told
    assert not report.is_sound


def test_the_unbroken_plan_has_neither_faults_nor_notes(tmp_path: Path) -> None:
    report = plan_check.check(written(tmp_path, a_plan()))

    assert [str(fault) for fault in report.faults + report.notes] == []
    assert report.is_sound


def test_all_faults_come_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    plan = broken(office="offices", obligations__0__due__day=31, lists__0__where="is_studnet",
                  acceptance__items__0__weight=70)

    faults = plan_check.check(written(tmp_path, plan)).faults

    assert [fault.where for fault in faults] == [
        "office", 'lists[0] "uninsured".where', 'obligations[0] "monthly_report".due.day', "acceptance.items",
    ]
    assert [fault.line for fault in faults] == sorted(fault.line or 0 for fault in faults)


def test_all_faults_of_the_schema_come_at_once(tmp_path: Path) -> None:
    plan = broken(canbao=2, obligations__0__to=GONE, guards__0__max_share_of_population=40, phase=[])

    faults = plan_check.check(written(tmp_path, plan)).faults

    assert [fault.where for fault in faults] == [
        "canbao", 'obligations[0] "monthly_report".to', 'guards[0] "uninsured".max_share_of_population', "phase",
    ]


def test_a_fault_of_the_whole_points_to_its_own_line(tmp_path: Path) -> None:
    plan = broken(obligations__0__due__day=31)

    fault = plan_check.check(written(tmp_path, plan)).faults[0]

    assert plan_text(plan).splitlines()[(fault.line or 0) - 1].strip() == "day: 31"


def test_an_unsound_campaign_does_not_load(tmp_path: Path) -> None:
    path = written(tmp_path, a_plan(office="offices", owner_of_last_resort="nobody"))

    with pytest.raises(PlanUnsound) as refused:
        plan_check.load_sound(str(path))

    assert [fault.where for fault in refused.value.faults] == ["office", "owner_of_last_resort"]
    assert "plan small-2021: 2 fault(s)" in str(refused.value)


def test_a_plan_under_campaigns_must_be_called_like_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "campaigns" / "small-2022"
    folder.mkdir(parents=True)

    faults = plan_check.check(written(folder, a_plan())).faults

    assert [(fault.where, fault.cure) for fault in faults] == [("id", "Give both the same name.")]


def test_a_successor_steps_into_every_place_of_its_predecessor(tmp_path: Path) -> None:
    plan = broken(organisations__3__valid_to="2021-06-30",
                  organisations__add=an_organisation("heir", succeeds=["gongan"], valid_from="2021-07-01"))

    assert [str(fault) for fault in plan_check.check(written(tmp_path, plan)).faults] == []


def test_a_successor_that_existed_before_may_absorb_another_unit(tmp_path: Path) -> None:
    plan = broken(organisations__3__valid_to="2021-06-30", organisations__2__succeeds=["gongan"])

    assert [str(fault) for fault in plan_check.check(written(tmp_path, plan)).faults] == []


def test_a_successor_without_the_post_is_a_message_to_nobody(tmp_path: Path) -> None:
    heir = an_organisation("heir", succeeds=["gongan"], valid_from="2021-07-01", contacts=[])
    plan = broken(organisations__3__valid_to="2021-06-30", organisations__add=heir)

    faults = plan_check.check(written(tmp_path, plan)).faults

    assert faults
    assert all("in heir" in fault.what for fault in faults)


# --- notes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("plan", "where", "what"), [
    pytest.param(broken(targets__0__stated_total=990), "stated_total", "states 990, the levels give 1000",
                 id="stated and derived total differ"),
    pytest.param(a_plan(ends="2027-12-31"), "calendar", "THE PUBLIC HOLIDAYS OF 2027 ARE NOT KNOWN",
                 id="year beyond the calendar"),
    pytest.param(broken(parameters__spare={"value": 1, "unit": "day", "source": "C13"}), "parameters.spare",
                 "no expression", id="unused parameter"),
    pytest.param(broken(document__issued="2021-06-03"), "document.issued", "monthly_report 2021-05",
                 id="deadline before the document"),
    pytest.param(again("lists", id="no_card"), 'lists[1] "no_card".priority', "priority 10 too", id="shared priority"),
    pytest.param(broken(obligations__0__ladder=GONE, feeds__0__ladder=GONE), 'ladders[0] "reports"', "climbs",
                 id="unused ladder"),
    pytest.param(broken(targets__0__indicator="insured_share", targets__0__level={"east": 0.95},
                        targets__0__increase={}, targets__0__derived_base={}, targets__0__stated_total=GONE,
                        targets__0__derived_total=GONE), 'targets[0] "insured_total".level', "at most 1 percent",
                 id="share for a percent"),
    pytest.param(broken(bulletins__0__indicators=[], bulletins__0__obligations=[]), "bulletins[0]", "nothing",
                 id="empty bulletin"),
    pytest.param(broken(categories__0__insured=True), 'categories[0] "out_of_scope"', "no rate counts it",
                 id="insured out of scope"),
    pytest.param(broken(obligations__1__to="east"), 'obligations[1] "summary".who', "reports to itself",
                 id="reports to itself"),
])
def test_a_note_is_shown_and_does_not_hinder(tmp_path: Path, plan: dict[str, Any], where: str, what: str) -> None:
    report = plan_check.check(written(tmp_path, plan))

    assert [str(fault) for fault in report.faults] == []
    assert any(where in note.where and what in note.what for note in report.notes), [str(note) for note in report.notes]
    assert all(note.line and note.cure for note in report.notes)


# --- what may stand in an expression --------------------------------------------------------------------


@pytest.mark.parametrize("expression", [
    "true",
    "is_student IS NOT TRUE AND NOT is_deceased",
    "age_years BETWEEN $pension_min_age_years AND 59",
    "category IN ('uninsured', 'interrupted') OR category IS NULL",
    "birth_date <= DATE '2005-05-31' - INTERVAL 16 YEAR",
    "CASE WHEN sex = 'M' THEN age_years >= 60 ELSE age_years >= 55 END",
    "coalesce(pension_months_unpaid, 0) > 3 AND date_diff('month', birth_date, death_date) >= 1",
    "employee_pension_last_paid < '2021-05' AND id_number LIKE '530999%' AND left(id_number, 6) <> '530481'",
    "name = '$pension_min_age_years' AND length(trim(name)) > 1",
    "TRY_CAST(school AS INTEGER) = 1 AND CAST(age_years AS VARCHAR) <> '' AND resident_pension_tier_yuan::INTEGER = 1",
    "township = 'east' AND year(birth_date) = 1980 AND extract(month FROM birth_date) = 5",
    "name IS DISTINCT FROM employer_name AND starts_with(village, '东') AND regexp_matches(name, '^李')",
    "if(is_student, 1, 0) + greatest(age_years, 2) % 3 - abs(-1) = round(1.5) * floor(2.0) / 2",
])
def test_a_condition_over_the_profile_is_accepted(expression: str) -> None:
    plan = Plan.model_validate(of(expression))

    assert [str(fault) for fault in expressions.faults(plan)] == []


def test_a_parameter_is_replaced_outside_of_quotes_only() -> None:
    text = "age_years >= $age AND name <> '$age' AND age_years < $age_to + $low"

    rendered = expressions.render(text, {"age": 16, "age_to": 59.5, "low": -1})

    assert rendered == "age_years >= 16 AND name <> '$age' AND age_years < 59.5 + (-1)"


def test_what_is_rendered_is_otherwise_left_as_the_plan_has_it() -> None:
    text = "is_student\n  IS NOT TRUE   AND \"name\" <> '李；四'"

    assert expressions.render(text, {}) == text


def test_a_parameter_the_plan_does_not_define_cannot_be_rendered() -> None:
    with pytest.raises(CanbaoError, match="age"):
        expressions.render("age_years > $age", {"ages": 16})


def test_the_profile_page_is_current() -> None:
    page = plan_file.REPOSITORY / "docs" / "profile.md"

    assert page.read_text(encoding="utf-8") == expressions.profile_markdown(), (
        "write it anew: python -c \"from comparison.expressions import profile_markdown as page; "
        "open('docs/profile.md', 'w', encoding='utf-8').write(page())\""
    )


# --- the campaigns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.parent.name)
def test_a_campaign_of_this_repository_is_sound(path: Path) -> None:
    assert [str(fault) for fault in plan_check.check(path).faults] == []


def test_a_plan_of_every_township_of_the_country_is_checked_in_seconds() -> None:
    contacts = [{"role": role, "title": "岗位"} for role in ("clerk", "leader")]
    townships = [{"code": f"t{number}", "name": f"乡镇{number}", "short": f"乡{number}", "kind": "township",
                  "parent": "gov", "source": "C8", "contacts": contacts} for number in range(38_700)]
    plan = Plan.model_validate(a_plan(organisations=a_plan()["organisations"] + townships))

    assert soundness.faults(plan) == []
