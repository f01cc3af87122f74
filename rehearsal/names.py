"""Invented names and numbers: persons, employers, villages, projects, and numbers whose check digits are right.

Everything here is made by arithmetic from a seed; no list of real people is used or needed. All functions take and
give whole arrays, because a place has hundreds of thousands of persons. Sources: domain.md, Identity; GB 11643
(citizen number), GB 32100 (unified credit code), GB 11714 (its organisation part).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

Strings = NDArray[np.str_]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

_CITIZEN_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CITIZEN_CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)
_CREDIT_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", dtype=np.uint8)
_CREDIT_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)])
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_SERIALS_PER_SEX_AND_DAY = 500

FOREIGN_AREAS = (530102, 530111, 530402, 530421, 530423, 530427, 532324, 533025, 510104, 520103, 522321, 430723, 411381)
"""Areas of first registration elsewhere: people marry in and move in, so a foreign area is never a fault."""

_SURNAMES = (
    ("王李张刘陈杨赵黄周吴", 30), ("徐孙胡朱高林何郭马罗", 14), ("梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕", 7),
    ("苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段", 3),
    ("雷钱汤尹黎易常武乔贺赖龚文普矣鲁李者施母资角", 2),
)
_RARE_SURNAMES = ("欧阳", "司马", "诸葛", "上官")
_MALE_LETTERS = "伟强军勇涛明超刚平辉鹏华飞波斌宇浩凯健俊帆毅林峰志文龙海建国云松柏成康德东亮荣光义正永兴旺福贵祥庆忠"
_FEMALE_LETTERS = "芳娜敏静丽艳娟霞秀燕玲桂英华慧巧美莲珍琼兰凤洁梅琳素云翠雅欣婷雪荣爱妹香月莺媛瑞凡佳嘉怡彩春菊惠珠"
_SHARED_LETTERS = "小晓子家文志永春金玉世光思雨宇云瑞海红水清平安新天佳一明学建忠万开仕朝先正廷绍德兴"
_VILLAGE_LETTERS = ("龙潭", "大河", "石桥", "新村", "松坡", "云溪", "小营", "双树", "青鱼", "梨园", "红石", "白沙", "上坝", "下坝", "高坎",
                    "泉水", "竹园", "河湾", "旧街", "新街", "马场", "柏树", "荷塘", "月亮", "长冲", "黑泥", "三家", "左卫", "前所", "后营",
                    "桃溪", "麦地", "草甸", "茶山", "箐口", "沙沟", "盐井", "罗伍", "塘子", "石门")
_FIRM_LETTERS = ("恒盛", "鑫源", "永昌", "瑞丰", "云腾", "博远", "汇通", "嘉禾", "泰和", "中杰", "旭日", "宏图", "金禾", "德润", "万和", "祥瑞",
                 "抚仙", "绿源", "众合", "诚达", "景程", "立新", "航宇", "聚力", "滇盛", "长青", "启明", "同济", "华宸", "天畅")
INDUSTRIES = ("商贸", "农业开发", "物流", "食品", "建筑工程", "旅游服务", "机械", "磷化工", "石材", "水泥", "餐饮管理", "物业服务", "苗木",
              "水产", "电子", "装饰工程", "劳务", "医药", "环保", "汽车服务")
DUST_INDUSTRIES = (7, 8, 9)
BUILDING_INDUSTRIES = (4, 15)
_SHOPS = ("小吃店", "百货店", "五金店", "理发店", "服装店", "蔬菜经营部", "修理铺", "客栈", "药店", "建材经营部", "副食店", "农家乐")
_OFFICES = ("中心学校", "卫生院", "自然资源所", "水务管理站", "农业综合服务中心", "文化站", "林业站", "供销社", "财政所", "幼儿园")
_SITES = ("棚户区改造", "污水处理厂扩建", "农村公路改造", "水库除险加固", "幼儿园教学楼", "安置房", "灌区续建配套", "桥梁加固", "卫生院业务用房",
          "环湖截污管网", "标准厂房", "道路提升改造")
SCHOOLS = (("第一中学", "第二中学", "第四中学"), ("职业技术学校",), ("省外高校", "省内高校", "市属学院"), ("特殊教育学校",))
"""Schools by stage: high school, vocational, university, other."""


def unit_hash(seed: int, index: Integers, salt: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each index: the same for the same (seed, index, salt), whatever is asked before.

    Persistent traits (who is unwilling, which clerk writes what) use it, so that asking twice changes nothing.
    """
    word = np.asarray(index).astype(np.uint64)
    with np.errstate(over="ignore"):
        word = word + np.uint64((seed * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) % 2**64)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
    return ((word ^ (word >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / float(2**53)


def _digits(numbers: Integers, width: int) -> NDArray[np.int64]:
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return np.asarray(numbers, dtype=np.int64)[:, None] // powers % 10


def _texts(letters: NDArray[np.uint8]) -> Strings:
    width = letters.shape[1]
    return np.ascontiguousarray(letters).view(f"S{width}").ravel().astype(f"U{width}")


def citizen_numbers(areas: Integers, births: Integers, serials: Integers) -> Strings:
    """18-character citizen numbers (GB 11643) with the right check character. ``births`` are days since 1970-01-01."""
    born = np.asarray(births).astype("datetime64[D]")
    years = born.astype("datetime64[Y]").astype(int) + 1970
    months = born.astype("datetime64[M]").astype(int) % 12 + 1
    days = (born - born.astype("datetime64[M]")).astype(int) + 1
    body = np.concatenate(
        [_digits(areas, 6), _digits(years * 10000 + months * 100 + days, 8), _digits(serials, 3)], axis=1)
    checks = _CITIZEN_CHECKS[(body @ _CITIZEN_WEIGHTS) % 11]
    return _texts(np.concatenate([body.astype(np.uint8) + ord("0"), checks[:, None]], axis=1))


def is_citizen_number(number: str) -> bool:
    """Whether the check character of one 18-character number is right."""
    if len(number) != 18 or not number[:17].isdigit():
        return False
    total = int(np.array([int(letter) for letter in number[:17]]) @ _CITIZEN_WEIGHTS)
    return number[17] == chr(_CITIZEN_CHECKS[total % 11])


def serials(areas: Integers, births: Integers, male: Bools, seed: int) -> Integers:
    """Three-digit serials, odd for men, so that no two persons of one area and birthday share one.

    Each (area, day, sex) has 500 numbers; a place that has more people born on one day than that is beyond the
    number's own design, and so is refused.
    """
    key = (np.asarray(areas, dtype=np.int64) * 200_000 + np.asarray(births) + 100_000) * 2 + male
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(ordered)])
    if len(sizes) and sizes.max() > _SERIALS_PER_SEX_AND_DAY:
        raise ValueError("more than 500 births of one sex in one area on one day: give the place more area codes")
    rank = np.arange(len(ordered)) - np.repeat(starts, sizes)
    offset = (unit_hash(seed, ordered, 11) * _SERIALS_PER_SEX_AND_DAY).astype(np.int64)
    result = np.empty(len(ordered), dtype=np.int64)
    result[order] = (rank + offset) % _SERIALS_PER_SEX_AND_DAY * 2
    return result + male


def credit_codes(areas: Integers, order: Integers, kinds: Integers) -> Strings:
    """Unified credit codes (GB 32100), unique by ``order``. ``kinds``: 0 enterprise, 1 individual, 2 institution,
    3 social organisation, 4 government (the order of the feed's codes)."""
    department = np.frombuffer(b"99151", dtype=np.uint8)[kinds]
    category = np.frombuffer(b"12211", dtype=np.uint8)[kinds]
    area = _digits(areas, 6).astype(np.uint8) + ord("0")
    scattered = (np.asarray(order, dtype=np.int64) * 387_420_489 + 271_828) % 31**6
    tail = _CREDIT_ALPHABET[scattered[:, None] // 31 ** np.arange(5, -1, -1, dtype=np.int64) % 31]
    head = np.tile(np.frombuffer(b"MA", dtype=np.uint8), (len(tail), 1))
    organisation = np.concatenate([head, tail], axis=1)
    letters_value = np.where(organisation >= ord("A"), organisation - ord("A") + 10, organisation - ord("0"))
    remainder = (11 - letters_value.astype(np.int64) @ _ORGANISATION_WEIGHTS % 11) % 11
    organisation_check = np.frombuffer(b"0123456789X", dtype=np.uint8)[remainder]
    issuer = np.column_stack([department, category])
    body = np.concatenate([issuer, area, organisation, organisation_check[:, None]], axis=1)
    values = np.searchsorted(_CREDIT_ALPHABET, body)
    check = _CREDIT_ALPHABET[(31 - values @ _CREDIT_WEIGHTS % 31) % 31]
    return _texts(np.concatenate([body, check[:, None]], axis=1))


def _surname_pool() -> tuple[Strings, NDArray[np.float64]]:
    pool = [(letter, weight) for letters, weight in _SURNAMES for letter in letters]
    pool += [(name, 1) for name in _RARE_SURNAMES]
    weights = np.array([weight for _, weight in pool], dtype=float)
    return np.array([name for name, _ in pool]), weights / weights.sum()


def surnames(rng: np.random.Generator, count: int) -> Strings:
    """Han surnames in roughly the proportions one meets (a few are common, most are rare)."""
    pool, weights = _surname_pool()
    return pool[rng.choice(len(pool), size=count, p=weights)]


def family_names(seed: int, households: Integers) -> Strings:
    """The surname of each household: the same whenever it is asked, so that a child born later bears it too."""
    pool, weights = _surname_pool()
    position = np.searchsorted(np.cumsum(weights), unit_hash(seed, households, 12), side="right")
    return pool[np.minimum(position, len(pool) - 1)]


def han_names(rng: np.random.Generator, family: Strings, male: Bools) -> Strings:
    """Surname plus one letter (18 %) or two."""
    count = len(family)
    own = np.where(male, _pick(rng, tuple(_MALE_LETTERS), count), _pick(rng, tuple(_FEMALE_LETTERS), count))
    middle = np.where(rng.random(count) < 0.18, "", _pick(rng, tuple(_SHARED_LETTERS), count))
    return np.char.add(np.char.add(family, middle), own)


def dotted_names(
    rng: np.random.Generator, male: Bools, *, seed: int = 0, households: Integers | None = None, is_child: Bools | None = None,
    region: str = "",
) -> Strings:
    """Names with the separator U+00B7 (domain.md, Identity), as ``dotted_names.yaml`` makes them.

    ``region`` is the code of the place: its province says of which peoples. Without ``households`` everybody is alone. A
    household is of one people. Where the second word is the father's name, the children of a household share it, as
    brothers and sisters do; grown-ups have fathers of their own. Where a clan stands in front, the household shares it.
    """
    peoples = dotted_pools(region[:2])
    households = np.arange(len(male)) if households is None else households
    is_child = np.zeros(len(male), dtype=bool) if is_child is None else is_child
    edges = np.cumsum([people.share for people in peoples])
    whose = np.searchsorted(edges / edges[-1], unit_hash(seed, households, 13), side="right")
    made = np.full(len(male), "", dtype="U24")
    for number, people in enumerate(peoples):
        mine = np.flatnonzero(np.minimum(whose, len(peoples) - 1) == number)
        own = np.where(male[mine], people.men.drawn(rng.random(len(mine))), people.women.drawn(rng.random(len(mine))))
        shared = is_child[mine] | people.clan_first
        among = unit_hash(seed, households[mine], 14)
        other = people.others.drawn(np.where(shared, among, rng.random(len(mine))))
        words = (other, own) if people.clan_first else (own, other)
        made[mine] = np.char.add(np.char.add(words[0], "·"), words[1])
    return made


@dataclass(frozen=True)
class Pool:
    """Words and how often each is met: a few are common, most are rare."""

    words: Strings
    edges: NDArray[np.float64]

    @classmethod
    def of(cls, words: Iterable[str], flat_until: float) -> Pool:
        distinct = np.array(list(dict.fromkeys(words)))
        return cls(distinct, np.cumsum(1 / (np.arange(len(distinct)) + flat_until)))

    def drawn(self, by: NDArray[np.float64]) -> Strings:
        """One word for each number in [0, 1)."""
        return self.words[np.searchsorted(self.edges, by * self.edges[-1], side="right").clip(max=len(self.words) - 1)]


@dataclass(frozen=True)
class DottedPeople:
    """How one people's names are made: own names of men and women, and the other word (father's name, or clan)."""

    share: float
    men: Pool
    women: Pool
    others: Pool
    clan_first: bool


@cache
def dotted_pools(province: str) -> tuple[DottedPeople, ...]:
    """The peoples of ``dotted_names.yaml`` who live in a province, their words put together."""
    stated = yaml.safe_load(Path(__file__).with_name("dotted_names.yaml").read_text(encoding="utf-8"))
    flat, shares = stated["flat_until"], stated["shares"].get(province, stated["shares"]["elsewhere"])
    return tuple(DottedPeople(
        share=shares[it["people"]], men=Pool.of(_words(it["men"]), flat), women=Pool.of(_words(it["women"]), flat),
        others=Pool.of(_words(it["clans"] if "clans" in it else it["men"]), flat), clan_first="clans" in it,
    ) for it in stated["peoples"] if it["people"] in shares)


def _words(kind: dict[str, str]) -> Iterator[str]:
    """Whole words, the common ones first; then every first part with every second one."""
    yield from kind["whole"].split()
    yield from (first + second for second in kind.get("second", "").split() for first in kind.get("first", "").split()
                if first != second)


def _pick(rng: np.random.Generator, pool: tuple[str, ...], count: int) -> Strings:
    return np.array(pool)[rng.integers(0, len(pool), count)]


def village_names(rng: np.random.Generator, count: int, urban: bool) -> list[str]:
    """Distinct village (or community) names within one township."""
    picked = rng.permutation(len(_VILLAGE_LETTERS))
    suffix = "社区" if urban else "村"
    rounds = ("", "上", "下", "东", "西", "南", "北", "前", "后")
    letters = [_VILLAGE_LETTERS[position] for position in picked]
    return [rounds[i // len(letters) % len(rounds)] + letters[i % len(letters)] + suffix for i in range(count)]


def employer_names(
    rng: np.random.Generator, place: str, townships: Strings, kinds: Integers, industries: Integers,
) -> Strings:
    """Names by kind: a company, a shop, an office, an association, a government unit."""
    count = len(kinds)
    letters = np.char.add(_pick(rng, _FIRM_LETTERS, count), _pick(rng, tuple(_SHARED_LETTERS), count))
    company = np.char.add(np.char.add(np.char.add(place, letters), np.array(INDUSTRIES)[industries]), "有限公司")
    shop = np.char.add(np.char.add(np.char.add(place, townships), letters), _pick(rng, _SHOPS, count))
    number = np.char.add(rng.integers(1, 40, count).astype("U2"), "号")
    office = np.char.add(np.char.add(np.char.add(place, townships), number), _pick(rng, _OFFICES, count))
    society = np.char.add(np.char.add(place, letters), "协会")
    bureau = np.char.add(np.char.add(np.char.add(place, townships), number), "机关服务所")
    return np.select([kinds == 0, kinds == 1, kinds == 2, kinds == 3], [company, shop, office, society], bureau)


def project_names(rng: np.random.Generator, place: str, townships: Strings) -> Strings:
    """Construction projects: where and what."""
    count = len(townships)
    stage = np.char.add(_pick(rng, ("一", "二", "三", "四"), count), "期工程")
    return np.char.add(np.char.add(np.char.add(place, townships), _pick(rng, _SITES, count)), stage)


def phones(seed: int, index: Integers) -> Strings:
    """Eleven-digit mobile numbers in a range of which every digit comes from the seed."""
    heads = np.array([13, 15, 17, 18, 19])[(unit_hash(seed, index, 21) * 5).astype(int)]
    tails = (unit_hash(seed, index, 22) * 10**9).astype(np.int64)
    return (heads * 10**9 + tails).astype("U11")
