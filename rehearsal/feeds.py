"""The files departments send: one per feed, provider and month, written from a synthetic place.

In this module every row is right (no wrong numbers, no duplicates); what is realistic is the shape: headers as the
department calls them, titles above and a signature below, sex and status as codes or words, townships by any of their
names, GB18030 for what comes out of old systems. The rows of a feed are decided once, in :data:`ROWS`; the links of
the truth are taken from the same decision, so that a row number means the same in both.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import xlsxwriter

from models.errors import StorageUnavailable, WrongUse
from models.plan import Feed, Organisation, Plan
from models.profile import SCHEMES
from rehearsal import names
from rehearsal.names import Bools, Integers, Strings, unit_hash
from rehearsal.place import Place
from rehearsal.state import (
    ENROLLED_AT_SCHOOL,
    INDIVIDUAL,
    NO_CARD,
    NONE,
    NOT_DRAWING,
    PENSION_AGE,
    RESIDENT,
    RM,
    RP,
    STILL,
    WI,
    WORKING_AGE,
    Array,
    label,
    months_of,
    ordinal,
)
from rules.deadlines import carrier
from rules.periods import month

Columns: TypeAlias = dict[str, pa.Array]
XLSX_ROWS_AT_MOST = 60_000
"""Beyond it a department sends text: one sheet of old Excel held 65,536 rows, and writing cells is slow."""

_ID, _NAME = "身份证号码", "姓名"
HEADERS: dict[str, dict[str, str]] = {
    "population": {
        "id_number": "公民身份号码", "name": _NAME, "sex": "性别", "birth_date": "出生日期", "hukou_type": "户口性质",
        "household_no": "户号", "township": "乡镇（街道）", "village": "村（居）委会", "address": "户籍地址",
        "phone": "联系电话", "status": "人员状态", "status_date": "变动日期"},
    "residence_permits": {
        "id_number": "公民身份号码", "name": _NAME, "sex": "性别", "permit_no": "居住证号", "valid_to": "有效期至",
        "township": "居住地乡镇", "village": "居住社区", "origin": "户籍所在地", "phone": "联系电话"},
    "deaths": {
        "id_number": "死者身份证号", "name": "死者姓名", "death_date": "死亡日期", "reported_by": "报告单位", "township": "户籍地乡镇"},
    "newborns": {
        "name": "新生儿姓名", "birth_date": "出生日期", "mother_name": "母亲姓名", "mother_id_number": "母亲身份证号", "township": "现住乡镇"},
    "students": {
        "id_number": "学生身份证号", "name": "学生姓名", "school": "学校名称", "stage": "学段", "status": "学籍状态",
        "enrolled_from": "入学年月日"},
    "hardship": {
        "id_number": "救助对象身份证号", "name": "救助对象姓名", "kind": "救助类别", "household_no": "家庭编号",
        "township": "乡镇", "valid_from": "享受起始日期"},
    "poverty": {"id_number": "证件号码", "name": _NAME, "kind": "户类型", "household_no": "户编号", "township": "乡(镇)"},
    "disability": {
        "id_number": "身份证号", "name": "残疾人姓名", "certificate_no": "残疾人证号", "category": "残疾类别",
        "grade": "残疾等级", "township": "乡镇街道"},
    "employment": {
        "id_number": "职工身份证号", "name": "职工姓名", "employer_code": "用人单位统一社会信用代码",
        "employer_name": "用人单位名称", "month": "所属期", "since": "就业日期"},
    **{
        scheme: {
            "id_number": _ID, "name": _NAME, "employer_code": "单位统一社会信用代码", "employer_name": "单位名称",
            "status": "缴费状态", "enrolled_on": "首次参保日期", "last_paid_month": "最后缴费年月", "base_yuan": "缴费基数"}
        for scheme in SCHEMES if scheme not in ("resident_pension", "resident_medical")
    },
    "resident_pension": {
        "id_number": _ID, "name": _NAME, "township": "参保乡镇", "village": "村（社区）", "status": "参保状态",
        "enrolled_on": "参保时间", "last_paid_month": "最后缴费年月", "tier_yuan": "缴费档次", "paid_yuan": "本年缴费金额",
        "ended_on": "终止日期", "end_reason": "终止原因"},
    "resident_medical": {
        "id_number": "参保人证件号码", "name": "参保人姓名", "township": "参保地乡镇", "status": "参保状态", "enrolled_on": "参保日期",
        "last_paid_month": "最近缴费年月", "paid_yuan": "个人缴费金额"},
    "benefits": {
        "id_number": "领取人身份证号", "name": "领取人姓名", "scheme": "险种", "status": "发放状态",
        "monthly_yuan": "月养老金", "first_paid_month": "待遇起始年月"},
    "cards": {"id_number": "社会保障号码", "name": _NAME, "status": "持卡状态", "issued_on": "发卡日期"},
    "employers": {
        "credit_code": "统一社会信用代码", "name": "市场主体名称", "kind": "主体类型", "status": "登记状态", "registered_on": "成立日期",
        "township": "所属街道乡镇", "address": "住所（经营场所）", "phone": "联系电话", "employees": "从业人数"},
    "tax_units": {
        "credit_code": "社会信用代码（纳税人识别号）", "name": "纳税人名称", "last_taxed_month": "税款所属期",
        "withholding_employees": "个税扣缴人数", "township": "所属乡镇"},
    "construction_projects": {
        "permit_no": "施工许可证号", "name": "工程名称", "employer_code": "施工单位统一社会信用代码",
        "employer_name": "施工单位", "department": "行业主管部门", "township": "项目所在乡镇", "started_on": "开工日期",
        "work_injury_insured": "是否参加工伤保险", "insured_on": "工伤保险参保日期"},
    "dust_hazard_employers": {
        "credit_code": "统一社会信用代码", "name": "企业名称", "industry": "所属行业", "exposed_workers": "接尘劳动者人数",
        "township": "所在乡镇"},
    "statistics": {
        "indicator": "指标名称", "region": "地区", "year": "年份", "value": "指标值", "unit": "计量单位", "source_document": "资料来源"},
}
"""Canonical column to the department's header, by feed; each is among the contract's aliases (a test holds it)."""

_SCHEME_STATUS = ("", "参保缴费", "暂停缴费", "终止缴费")
SPELLINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "population": {"sex": ("女", "男"), "hukou_type": ("非农业户口", "农业户口"), "status": ("正常", "人户分离", "注销", "迁出")},
    "residence_permits": {"sex": ("女", "男")},
    "students": {"stage": ("", "普通高中", "中等职业教育", "大学本科", "特殊教育"), "status": ("", "在校", "离校")},
    "hardship": {"kind": ("", "农村低保", "特困供养人员")},
    "poverty": {"kind": ("", "脱贫户", "边缘易致贫户")},
    "disability": {"grade": ("", "一级", "二级", "三级", "四级")},
    "benefits": {"scheme": ("企业职工基本养老保险", "机关事业单位养老保险", "城乡居民养老保险"), "status": ("", "正常发放", "停发")},
    "cards": {"status": ("未申领", "制卡中", "已发卡")},
    "employers": {
        "kind": ("有限责任公司", "个体工商户", "事业单位", "社会团体", "机关法人"),
        "status": ("存续（在营、开业、在册）", "经营异常", "注销")},
    "construction_projects": {"work_injury_insured": ("否", "是")},
    **{scheme: {"status": _SCHEME_STATUS} for scheme in SCHEMES},
    "employee_pension": {"status": ("", "1", "2", "3")},
    "resident_pension": {"status": _SCHEME_STATUS, "end_reason": ("", "转企业职工养老", "死亡", "户口迁出", "其他")},
}
"""How each code is written, by its number in the place; the contract's spellings know them (a test holds it)."""


@dataclass(frozen=True)
class Shape:
    """What a feed's file looks like: its form, encoding, and how much stands around the rows."""

    form: Literal["csv", "xlsx"]
    encoding: str = "gb18030"
    titles: int = 0
    numbered: bool = False
    footer: bool = False
    dates: str = "%Y-%m-%d"
    months: str = "-"


SHAPES: dict[str, Shape] = {
    "population": Shape("csv"), "resident_pension": Shape("csv", months=""), "resident_medical": Shape("csv"),
    "cards": Shape("csv", "utf-8-sig"), "benefits": Shape("csv", months=""),
    "employment": Shape("csv", "utf-8-sig", months=""),
    "employee_pension": Shape("csv", months=""), "work_injury": Shape("csv", months=""),
    "employee_medical": Shape("csv"), "maternity": Shape("csv", months=""), "employers": Shape("csv", "utf-8-sig"),
    "unemployment": Shape("csv", months=""), "tax_units": Shape("csv", "utf-8"),
    "institution_pension": Shape("xlsx", titles=1, months=""),
    "students": Shape("xlsx", titles=1, dates="%Y/%m/%d"), "poverty": Shape("xlsx", titles=2),
    "residence_permits": Shape("xlsx", titles=1),
    "hardship": Shape("xlsx", titles=2, footer=True), "disability": Shape("xlsx", titles=3, footer=True),
    "deaths": Shape("xlsx", titles=1, numbered=True, footer=True, dates="%Y%m%d"),
    "newborns": Shape("xlsx", titles=1, numbered=True), "statistics": Shape("xlsx", titles=1),
    "construction_projects": Shape("xlsx", titles=2, numbered=True, footer=True, dates="%Y.%m.%d"),
    "dust_hazard_employers": Shape("xlsx", titles=3, numbered=True, footer=True),
}
"""How each department's system exports. Large registers are text; what an office keeps by hand is a workbook."""


# --- which rows -----------------------------------------------------------------------------------------


def _in_scheme(scheme: int) -> Callable[[Place], Integers]:
    return lambda place: np.flatnonzero((place.people.scheme[scheme] != NONE) & _on_record(place))


def _on_record(place: Place) -> Bools:
    """Whom departments know by number: the registered, and holders of permits."""
    return place.people.registered | place.people.permit


def _local(place: Place, kind: Integers) -> Integers:
    return np.flatnonzero((kind > 0) & place.here & place.people.registered)


ROWS: dict[str, Callable[[Place], Integers]] = {
    "population": lambda place: np.flatnonzero(place.people.registered),
    "residence_permits": lambda place: np.flatnonzero(place.people.permit & place.alive),
    "deaths": lambda place: np.flatnonzero((place.people.death_day >= 0) & (place.people.reported_month <= place.now)),
    "newborns": lambda place: np.flatnonzero(~_on_record(place) & (place.people.mother >= 0)),
    "students": lambda place: np.flatnonzero((place.people.student > 0) & place.here & (place.ages() < 25)),
    "hardship": lambda place: _local(place, place.people.hardship),
    "poverty": lambda place: _local(place, place.people.poverty),
    "disability": lambda place: _local(place, place.people.disability),
    "employment": lambda place: np.flatnonzero((place.people.employer >= 0) & place.alive),
    **{name: _in_scheme(number) for number, name in enumerate(SCHEMES)},
    "benefits": lambda place: np.flatnonzero(place.people.benefit_state != NOT_DRAWING),
    "cards": lambda place: np.flatnonzero((place.people.card != NO_CARD) & place.here & _on_record(place)),
    "employers": lambda place: np.arange(len(place.employers)),
    "tax_units": lambda place: np.flatnonzero(place.employers.taxed & (place.employers.last_taxed >= 0)),
    "construction_projects": lambda place: np.arange(len(place.projects)),
    "dust_hazard_employers": lambda place: np.flatnonzero(place.employers.dust),
    "statistics": lambda place: np.empty(0, dtype=np.int64),
}
"""Row numbers (of persons, employers or projects) that each feed holds now, in the order of the file."""

TOLD_IN: dict[str, Callable[[Place], Integers]] = {
    "deaths": lambda place: np.where(place.people.death_day >= 0, place.people.reported_month, -1),
    "newborns": lambda place: np.where(place.people.mother >= 0, months_of(place.people.birth), -1),
}
"""The month in which a person is first told of, for feeds that may come as supplements; negative is never."""

PERSON_FEEDS = frozenset(ROWS) - {
    "employers", "tax_units", "construction_projects", "dust_hazard_employers", "statistics"}
"""Feeds whose rows are persons."""


def providers_in(plan: Plan, feed: Feed, period: str) -> tuple[str, ...]:
    """Who sends a feed for a month: its providers, or whoever has taken their duties over by then (B36)."""
    day = month(period).ends
    carriers = dict.fromkeys(carrier(plan, code, day) for code in feed.providers)
    return tuple(code for code in carriers if plan.organisation(code).exists_on(day))


def rows_of(place: Place, plan: Plan, feed: Feed, provider: str) -> Integers:
    """The rows one provider's file of this month holds.

    A supplement holds what is first told this month; the first one all there was till then. Where several provide a
    feed, each has its own part: a department its projects, a county its townships, otherwise an even share.
    """
    return _part_of(place, plan, feed, provider, _rows_told(place, feed, place.now))


def _rows_told(place: Place, feed: Feed, when: int) -> Integers:
    if feed.snapshot == "full" or feed.feed not in TOLD_IN:
        return ROWS[feed.feed](place)
    told, first = TOLD_IN[feed.feed](place), ordinal(place.config.first_period)
    return np.flatnonzero((told >= 0) & (told <= when) if when == first else told == when)


def _part_of(place: Place, plan: Plan, feed: Feed, provider: str, rows: Integers) -> Integers:
    providers = providers_in(plan, feed, place.period)
    if len(providers) == 1:
        return rows
    return rows[_share_of(place, plan, feed, providers, rows) == providers.index(provider)]


def _share_of(place: Place, plan: Plan, feed: Feed, providers: tuple[str, ...], rows: Integers) -> Integers:
    if feed.feed == "construction_projects":
        return place.projects.department[rows] % len(providers)
    by_township = _providers_by_township(place, plan, providers)
    if by_township is not None:
        table = place.people if feed.feed in PERSON_FEEDS else place.employers
        return by_township[table.township[rows]]
    return (unit_hash(place.seed, rows, 91) * len(providers)).astype(int)


def _providers_by_township(place: Place, plan: Plan, providers: tuple[str, ...]) -> Integers | None:
    """For each township the provider that is its county or stands under it; None unless each has exactly one."""
    parents = {org.code: org.parent for org in plan.organisations}
    counties = {org.code for org in plan.organisations if org.kind in ("county", "zone")}
    found = []
    for org in place.townships:
        above = set(_ancestors(org.code, parents)) & counties
        near = [i for i, code in enumerate(providers) if code in above or parents[code] in above]
        if len(near) != 1:
            return None
        found.append(near[0])
    return np.array(found)


def _ancestors(code: str | None, parents: dict[str, str | None]) -> Iterator[str]:
    while code is not None:
        yield code
        code = parents.get(code)


def links_table(place: Place, plan: Plan) -> pa.Table:
    """Which line of which file is about which person: feed, source_file, row_number (1-based line), id_number, and which
    person of the line, which of the place, and the true name.

    Supplements of earlier months are still in force, and so listed too. A newborn without a number has none here
    either: there is nobody yet to link to.
    """
    registered = np.where(_on_record(place), place.people.id_number, "")
    parts = []
    for feed in plan.feeds:
        for when in _months_in_force(place, feed) if feed.feed in PERSON_FEEDS else ():
            for provider in providers_in(plan, feed, label(when)):
                rows = _part_of(place, plan, feed, provider, _rows_told(place, feed, when))
                form = _form(feed, len(rows))
                above = 1 + (SHAPES[feed.feed].titles if form == "xlsx" else 0)
                parts.append(pa.table({
                    "feed": _same(feed.feed, len(rows)),
                    "source_file": _same(file_name(plan, feed, provider, label(when), form), len(rows)),
                    "row_number": pa.array(np.arange(len(rows)) + above + 1),
                    "id_number": _texts(registered[rows]),
                    "member": pa.array(np.ones(len(rows), dtype=np.int32)), "person_id": _texts(registered[rows]),
                    "name": _texts(place.people.name[rows]),
                }))
    return pa.concat_tables(parts)


def _months_in_force(place: Place, feed: Feed) -> range:
    is_supplement = feed.snapshot == "supplement" and feed.feed in TOLD_IN
    return range(ordinal(place.config.first_period) if is_supplement else place.now, place.now + 1)


# --- what stands in a row -------------------------------------------------------------------------------


def _texts(values: Strings | list[str]) -> pa.Array:
    # Converting a NumPy text array directly takes a hundred times as long as going through a list.
    return pa.array(values if isinstance(values, list) else values.tolist(), type=pa.string())


def _same(text: str, count: int) -> pa.Array:
    return pa.array([text], type=pa.string()).take(pa.array(np.zeros(count, dtype=np.int64)))


def _chosen(pool: Iterable[str], which: Array) -> pa.Array:
    """``pool[which]``; a negative choice is blank."""
    kept = pa.array(list(pool), type=pa.string())
    return kept.take(pa.array(np.where(which < 0, 0, which), mask=which < 0))


def _numbers(values: Array, shown: Bools | None = None) -> pa.Array:
    return pa.array(values.astype(np.int64), mask=None if shown is None else ~shown)


class _Writer:
    """The columns of one feed's file for one provider; township names follow one spelling a file."""

    def __init__(self, place: Place, feed: Feed, provider: str, dates: str | None = None) -> None:
        self.place, self.feed, self.provider = place, feed.feed, provider
        self.shape = SHAPES[feed.feed] if dates is None else replace(SHAPES[feed.feed], dates=dates)
        salt = sum(ord(letter) for letter in feed.feed + provider)
        self.spelling = salt % 4
        self.rows: Integers = np.empty(0, dtype=np.int64)

    def columns(self, rows: Integers) -> Columns:
        """All columns of the feed for these rows."""
        self.rows = rows
        return COLUMNS[self.feed](self)

    # Cells of one kind each.

    def person(self) -> Columns:
        people = self.place.people
        return {"id_number": _texts(people.id_number[self.rows]), "name": _texts(people.name[self.rows])}

    def township(self, which: Integers) -> pa.Array:
        return _chosen([_spelled(org, self.spelling) for org in self.place.townships], which)

    def in_full(self, which: Integers) -> pa.Array:
        """The place's and the township's name, as an address begins."""
        return _chosen([self.place.plan.region.name + org.name for org in self.place.townships], which)

    def village(self, townships: Integers, villages: Integers) -> pa.Array:
        starts = np.cumsum([0, *(len(found) for found in self.place.villages)])
        return _chosen([name for found in self.place.villages for name in found], starts[townships] + villages)

    def spelled(self, column: str, codes: Array) -> pa.Array:
        return _chosen(SPELLINGS[self.feed][column], codes.astype(np.int64))

    def day(self, days: Integers) -> pa.Array:
        """Dates as the department writes them; before 1900 is blank."""
        kept = pa.array(days.astype(np.int32), mask=days <= -25_000).cast(pa.date32())
        return kept.cast(pa.string()) if self.shape.dates == "%Y-%m-%d" else pc.strftime(kept, self.shape.dates)

    def day_if(self, days: Integers) -> pa.Array:
        """Dates where -1 means none."""
        return self.day(np.where(days < 0, -30_000, days))

    def month(self, ordinals: Integers) -> pa.Array:
        """Months as the department writes them; a negative one is blank."""
        if not len(ordinals):
            return pa.array([], type=pa.string())
        first = int(max(0, ordinals.min()))
        known = [label(number).replace("-", self.shape.months) for number in range(first, int(ordinals.max()) + 1)]
        return _chosen(known or [""], np.where(ordinals < 0, -1, ordinals - first))

    def household(self) -> pa.Array:
        """Household numbers: the region's code and a running number."""
        numbers = int(self.place.plan.region.code) * 10**7 + self.place.people.household[self.rows].astype(np.int64)
        return _texts(numbers.astype("U13"))

    def employer(self, which: Integers, code: str = "employer_code", name: str = "employer_name") -> Columns:
        firms = self.place.employers
        return {code: _chosen(firms.credit_code.tolist(), which), name: _chosen(firms.name.tolist(), which)}


def _spelled(org: Organisation, style: int) -> str:
    """One township name in one of the ways people write it: in full, short, or one of its other names."""
    others = [alias for alias in org.aliases if alias != org.short] or [org.name]
    return (org.name, org.short, others[0], others[-1])[style]


def _population(file: _Writer) -> Columns:
    place, people, rows = file.place, file.place.people, file.rows
    village = file.village(people.township[rows], people.village[rows])
    number = _texts((people.household[rows] % 700 + 1).astype("U4"))
    address = pc.binary_join_element_wise(file.in_full(people.township[rows]), village, number, "号", "")
    return {
        **file.person(),
        "sex": file.spelled("sex", people.male[rows]), "birth_date": file.day(people.birth[rows]),
        "hukou_type": file.spelled("hukou_type", people.rural[rows]), "household_no": file.household(),
        "township": file.township(people.township[rows]), "village": village, "address": address,
        "phone": _texts(names.phones(place.seed, people.household[rows])),
        "status": file.spelled("status", people.status[rows]), "status_date": file.day(people.status_day[rows]),
    }


def _residence_permits(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    origins = ("云南省昆明市", "云南省玉溪市", "四川省成都市", "贵州省贵阳市", "湖南省常德市", "河南省邓州市")
    return {
        **file.person(), "sex": file.spelled("sex", people.male[rows]),
        "permit_no": _texts(np.char.add("JZ", (rows + 10_000_000).astype("U8"))),
        "valid_to": file.day(file.place.today + 60 + rows % 300),
        "township": file.township(people.township[rows]),
        "village": file.village(people.township[rows], people.village[rows]),
        "origin": _chosen(origins, (unit_hash(file.place.seed, rows, 92) * len(origins)).astype(int)),
        "phone": _texts(names.phones(file.place.seed, rows)),
    }


def _deaths(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    hospitals = [f"{org.name}卫生院" for org in file.place.townships] + [f"{file.place.plan.region.name}人民医院"]
    where = np.where(unit_hash(file.place.seed, rows, 93) < 0.4, len(hospitals) - 1, people.township[rows])
    return {**file.person(), "death_date": file.day(people.death_day[rows]), "reported_by": _chosen(hospitals, where),
            "township": file.township(people.township[rows])}


def _newborns(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    mothers = people.mother[rows]
    return {"name": _texts(people.name[rows]), "birth_date": file.day(people.birth[rows]),
            "mother_name": _texts(people.name[mothers]), "mother_id_number": _texts(people.id_number[mothers]),
            "township": file.township(people.township[rows])}


def _students(file: _Writer) -> Columns:
    people, rows, region = file.place.people, file.rows, file.place.plan.region.name
    stage = people.stage[rows].astype(int)
    widest = max(len(schools) for schools in names.SCHOOLS)
    schools = [
        (own[i % len(own)] if number == 2 else region + own[i % len(own)])
        for number, own in enumerate(names.SCHOOLS) for i in range(widest)
    ]
    return {**file.person(), "school": _chosen(schools, (stage - 1) * widest + people.school[rows] % widest),
            "stage": file.spelled("stage", stage), "status": file.spelled("status", people.student[rows]),
            "enrolled_from": file.day(people.student_day[rows])}


def _hardship(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    since = file.place.today - 30 - (unit_hash(file.place.seed, people.household[rows], 94) * 2500).astype(int)
    return {**file.person(), "kind": file.spelled("kind", people.hardship[rows]), "household_no": file.household(),
            "township": file.township(people.township[rows]), "valid_from": file.day(since // 30 * 30)}


def _poverty(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    return {**file.person(), "kind": file.spelled("kind", people.poverty[rows]), "household_no": file.household(),
            "township": file.township(people.township[rows])}


def _disability(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    kinds = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
    kind = (unit_hash(file.place.seed, rows, 95) * len(kinds)).astype(int)
    certificate = np.char.add(people.id_number[rows], ((kind + 1) * 10 + people.disability[rows]).astype("U2"))
    return {**file.person(), "certificate_no": _texts(certificate), "category": _chosen(kinds, kind),
            "grade": file.spelled("grade", people.disability[rows]), "township": file.township(people.township[rows])}


def _employment(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    since = (people.job_month[rows] - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]").astype(int)
    return {**file.person(), **file.employer(people.employer[rows]),
            "month": file.month(np.full(len(rows), file.place.now)), "since": file.day(since)}


def _employee_scheme(scheme: int) -> Callable[[_Writer], Columns]:
    def columns(file: _Writer) -> Columns:
        people, rows = file.place.people, file.rows
        through = people.employer[rows]
        if scheme == WI:
            through = np.where(through >= 0, through, people.site[rows])
        return {**file.person(), **file.employer(through),
                "status": file.spelled("status", people.scheme[scheme, rows]),
                "enrolled_on": file.day(people.enrolled[scheme, rows]),
                "last_paid_month": file.month(people.last_paid[scheme, rows]), "base_yuan": _numbers(people.wage[rows])}
    return columns


def _resident_pension(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    ended = people.end_reason[rows]
    return {
        **file.person(), "township": file.township(people.township[rows]),
        "village": file.village(people.township[rows], people.village[rows]),
        "status": file.spelled("status", people.scheme[RP, rows]), "enrolled_on": file.day(people.enrolled[RP, rows]),
        "last_paid_month": file.month(people.last_paid[RP, rows]), "tier_yuan": _numbers(people.tier[rows]),
        "paid_yuan": _numbers(people.paid[rows]), "ended_on": file.day_if(people.ended_day[rows]),
        "end_reason": file.spelled("end_reason", np.where(ended == STILL, -1, ended)),
    }


def _resident_medical(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    return {**file.person(), "township": file.township(people.township[rows]),
            "status": file.spelled("status", people.scheme[RM, rows]),
            "enrolled_on": file.day(people.enrolled[RM, rows]),
            "last_paid_month": file.month(people.last_paid[RM, rows]), "paid_yuan": _numbers(people.medical_paid[rows])}


def _benefits(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    return {**file.person(), "scheme": file.spelled("scheme", people.benefit[rows]),
            "status": file.spelled("status", people.benefit_state[rows]),
            "monthly_yuan": _numbers(people.benefit_yuan[rows]),
            "first_paid_month": file.month(people.benefit_month[rows])}


def _cards(file: _Writer) -> Columns:
    people, rows = file.place.people, file.rows
    issued = people.card[rows] == 2
    return {**file.person(), "status": file.spelled("status", people.card[rows]),
            "issued_on": file.day_if(np.where(issued, people.card_day[rows], -1))}


def _employers(file: _Writer) -> Columns:
    place, firms, rows = file.place, file.place.employers, file.rows
    villages = np.array([len(found) for found in place.villages])[firms.township[rows]]
    village = (unit_hash(place.seed, rows, 96) * villages).astype(int)
    address = pc.binary_join_element_wise(
        file.in_full(firms.township[rows]), file.village(firms.township[rows], village),
        _texts((rows % 300 + 1).astype("U4")), "号", "")
    staff = place.staff[rows]
    return {
        **file.employer(rows, "credit_code", "name"), "kind": file.spelled("kind", firms.kind[rows]),
        "status": file.spelled("status", firms.status[rows]), "registered_on": file.day(firms.registered[rows]),
        "township": file.township(firms.township[rows]), "address": address,
        "phone": _texts(names.phones(place.seed, rows + 50_000_000)),
        "employees": _numbers(np.where((firms.kind[rows] == INDIVIDUAL) & (staff == 0), 1, staff)),
    }


def _tax_units(file: _Writer) -> Columns:
    firms, rows = file.place.employers, file.rows
    return {**file.employer(rows, "credit_code", "name"), "last_taxed_month": file.month(firms.last_taxed[rows]),
            "withholding_employees": _numbers(file.place.staff[rows]), "township": file.township(firms.township[rows])}


def _construction_projects(file: _Writer) -> Columns:
    projects, rows, plan = file.place.projects, file.rows, file.place.plan
    departments = [plan.organisation(code).name for code in file.place.departments]
    return {
        "permit_no": _texts(projects.permit_no[rows]), "name": _texts(projects.name[rows]),
        **file.employer(projects.employer[rows]),
        "department": _chosen(departments, projects.department[rows].astype(int)),
        "township": file.township(projects.township[rows]), "started_on": file.day(projects.started[rows]),
        "work_injury_insured": file.spelled("work_injury_insured", projects.insured_day[rows] >= 0),
        "insured_on": file.day_if(projects.insured_day[rows]),
    }


def _dust_hazard_employers(file: _Writer) -> Columns:
    firms, rows = file.place.employers, file.rows
    return {**file.employer(rows, "credit_code", "name"),
            "industry": _chosen(names.INDUSTRIES, firms.industry[rows].astype(int)),
            "exposed_workers": _numbers(firms.exposed[rows]), "township": file.township(firms.township[rows])}


COLUMNS: dict[str, Callable[[_Writer], Columns]] = {
    "population": _population, "residence_permits": _residence_permits, "deaths": _deaths, "newborns": _newborns,
    "students": _students, "hardship": _hardship, "poverty": _poverty, "disability": _disability,
    "employment": _employment,
    **{name: _employee_scheme(number) for number, name in enumerate(SCHEMES) if number not in (RP, RM)},
    "resident_pension": _resident_pension, "resident_medical": _resident_medical, "benefits": _benefits,
    "cards": _cards, "employers": _employers, "tax_units": _tax_units, "construction_projects": _construction_projects,
    "dust_hazard_employers": _dust_hazard_employers,
}
"""The canonical columns of each feed as a department fills them."""


STATISTICS: dict[str, tuple[str, Callable[[Place], Bools]]] = {
    "resident_population": ("常住人口", lambda place: place.here & (place.people.status == RESIDENT)),
    "registered_population": ("户籍人口", lambda place: place.here & place.people.registered),
    "employed_persons": ("从业人员", lambda place: _at_work(place)),
}
"""What a published figure is called, and whom it counts."""


def _at_work(place: Place) -> Bools:
    """Whom the statistics bureau counts as 从业人员: residents who work, with an employer or on their own account. The
    employment register knows the former alone (B5: a rate over it would find five insured for every one at work)."""
    people, age, wishes = place.people, place.ages(), place.config.people
    chance = unit_hash(place.seed, np.arange(len(people)), 97)
    share = np.select([age < WORKING_AGE, age < PENSION_AGE, age < 70], [0.0, wishes.own_account_share, wishes.works_on_share], 0.0)
    alone = (people.student != ENROLLED_AT_SCHOOL) & (chance < share)
    return place.here & (people.status == RESIDENT) & ((people.employer >= 0) | alone)


@dataclass(frozen=True)
class Published:
    """One figure of the statistics bureau: its name as the contract codes it and as the bureau writes it, for whom, how many."""

    indicator: str
    word: str
    organisation: Organisation
    value: int


def published(place: Place, plan: Plan) -> Iterator[Published]:
    """The figures the plan's denominators ask for, for every government, county and township (B5, B42)."""
    measures = [measure for item in plan.indicators for measure in (item.numerator, item.denominator)]
    wanted = {measure.statistic for measure in measures if measure is not None and measure.statistic}
    for name, (word, counts) in STATISTICS.items():
        if name in wanted:
            counted = counts(place)
            for org, below in _regions(place, plan):
                yield Published(name, word, org, int(np.count_nonzero(counted & below)))


def _statistics(place: Place, plan: Plan) -> Columns:
    lines = list(published(place, plan))
    count = len(lines)
    return {
        "indicator": _texts([line.word for line in lines]), "region": _texts([line.organisation.name for line in lines]),
        "year": pa.array([int(place.period[:4])] * count, type=pa.int64()),
        "value": pa.array([line.value for line in lines], type=pa.int64()),
        "unit": _same("人", count), "source_document": _same(f"{place.plan.region.name}统计资料", count),
    }


def _regions(place: Place, plan: Plan) -> Iterator[tuple[Organisation, Bools]]:
    """Governments, counties and townships with the persons below each."""
    parents = {org.code: org.parent for org in plan.organisations}
    for org in plan.organisations:
        below = np.array([org.code in set(_ancestors(town.code, parents)) for town in place.townships])
        if org.kind in ("government", "county", "zone", "township") and below.any():
            yield org, below[place.people.township]


# --- files ----------------------------------------------------------------------------------------------


def file_name(plan: Plan, feed: Feed, provider: str, period: str, form: str) -> str:
    """``市公安局_户籍人口信息_2021年5月.csv``: the provider's short name first, by which intake tells the provider."""
    end = month(period).ends
    return f"{plan.organisation(provider).short}_{feed.name}_{end.year}年{end.month}月.{form}"


def _form(feed: Feed, count: int) -> str:
    return "csv" if count > XLSX_ROWS_AT_MOST else SHAPES[feed.feed].form


def write_feeds(
    place: Place, plan: Plan, inbox: Path, feeds: Iterable[str] | None = None, provider: str | None = None,
) -> list[Path]:
    """The files of the place's current month, ``inbox/<feed>/<period>/<file>``: all the plan's feeds, or those named;
    of all providers or one. Raises WrongUse for a feed the plan does not expect.

    Where the place states ``defects``, files have them, as far as they are accepted all the same: what stops a delivery
    is a matter of the organisations' conduct.
    """
    from rehearsal.defect_delivery import write_one  # files with defects are made from these columns

    wanted = None if feeds is None else set(feeds)
    unknown = sorted((wanted or set()) - {feed.feed for feed in plan.feeds})
    if unknown:
        raise WrongUse(f"the plan expects no feed {', '.join(unknown)}.", where=f"plan {plan.id}")
    settings = place.config.defects
    return [
        write_one(place, plan, feed, code, inbox, settings) if settings.numbers else _write(place, plan, feed, code, inbox)
        for feed in plan.feeds if wanted is None or feed.feed in wanted
        for code in providers_in(plan, feed, place.period) if provider is None or code == provider
    ]


def columns_of(place: Place, plan: Plan, feed: Feed, provider: str, *, dates: str | None = None) -> tuple[Integers, Columns]:
    """What one provider's file of the month holds: which rows of the place, and their cells by canonical column.

    ``dates`` writes days otherwise than the department does. Statistics are about no row of the place.
    """
    if feed.feed == "statistics":
        return np.empty(0, dtype=np.int64), _statistics(place, plan)
    rows = rows_of(place, plan, feed, provider)
    return rows, _Writer(place, feed, provider, dates).columns(rows)


def _write(place: Place, plan: Plan, feed: Feed, provider: str, inbox: Path) -> Path:
    _, columns = columns_of(place, plan, feed, provider)
    table = pa.table({HEADERS[feed.feed][column]: values for column, values in columns.items()})
    form, shape = _form(feed, table.num_rows), SHAPES[feed.feed]
    path = inbox / feed.feed / place.period / file_name(plan, feed, provider, place.period, form)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "csv":
            _write_text(table, path, shape.encoding)
        else:
            _write_workbook(table, path, shape, titles(place, plan, feed, provider))
    except OSError as fault:
        raise StorageUnavailable(f"the file cannot be written: {fault.strerror}.", where=str(path.parent),
                                 cure="Make the folder writable and write again.") from None
    return path


def titles(place: Place, plan: Plan, feed: Feed, provider: str) -> list[str]:
    """What stands above a table: what it is, whose, as of when."""
    end = month(place.period).ends
    org = plan.organisation(provider)
    return [
        f"{plan.region.name}{feed.name}（{end.year}年{end.month}月）", f"填报单位：{org.name}", f"数据截止时间：{end:%Y-%m-%d}",
    ]


def _write_text(table: pa.Table, path: Path, encoding: str) -> None:
    """CSV with the department's encoding. Arrow writes UTF-8 only, so the text is turned over as a whole."""
    buffer = io.BytesIO()
    pa_csv.write_csv(table, buffer, pa_csv.WriteOptions(quoting_style="needed"))
    path.write_bytes(buffer.getvalue() if encoding == "utf-8" else buffer.getvalue().decode("utf-8").encode(encoding))


def _write_workbook(table: pa.Table, path: Path, shape: Shape, titles: list[str]) -> None:
    """A workbook as an office keeps it. Every cell but counts and amounts is text: Excel spoils long numbers."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Sheet1")
    line = 0
    for title in titles[: shape.titles]:
        sheet.write_string(line, 0, title)
        line += 1
    headers = (["序号"] if shape.numbered else []) + table.column_names
    for place_in_line, header in enumerate(headers):
        sheet.write_string(line, place_in_line, header)
    columns = [values.to_pylist() for values in table.columns]
    for number, cells in enumerate(zip(*columns, strict=True), start=1):
        line += 1
        if shape.numbered:
            sheet.write_number(line, 0, number)
        for place_in_line, cell in enumerate(cells, start=int(shape.numbered)):
            _write_cell(sheet, line, place_in_line, cell)
    if shape.footer:
        sheet.write_string(line + 1, 0, "合计")
        sheet.write_string(line + 1, 1, f"{table.num_rows}条")
        sheet.write_string(line + 2, 0, "填表人：经办员    审核人：负责人")
    book.close()


def _write_cell(sheet: Any, line: int, place_in_line: int, cell: str | int | None) -> None:
    if isinstance(cell, str):
        sheet.write_string(line, place_in_line, cell)
    elif cell is not None:
        sheet.write_number(line, place_in_line, cell)
