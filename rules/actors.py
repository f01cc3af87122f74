"""Who acts: when two names are one, which posts of the plan a name means, and what the plan lets them do.

A name is typed, so it proves nobody; but what nobody would take for two must not pass for two, and a post that the plan does
not know decides nothing.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from models.errors import ApprovalMissing, WrongUse
from models.plan import Organisation, Plan

SIMULATED_PREPARER, SIMULATED_APPROVER = "演练经办岗", "演练审批岗"
"""The posts of a rehearsal. A plan that is no drill knows neither."""

_LOOK_ALIKE = str.maketrans({
    # Cyrillic and Greek letters that are printed like Latin ones, after case is gone.
    **dict(zip("авсԁеһіјкмнорѕтухѵԛԝґ", "abcdehijkmhopstuxvqwr", strict=True)),
    **dict(zip("αβεηικνορτυχγω", "abenikvoptuxyw", strict=True)),
    "ı": "i", "ɑ": "a", "ɡ": "g", "ſ": "s",
    # What is printed like a digit or stroke in some typeface.
    "0": "o", "1": "l", "i": "l",
    # Kana and jamo that are printed like Chinese characters.
    **dict(zip("エロカニハトター", "工口力二八卜夕一", strict=True)), "ㅡ": "一", "ㅣ": "l",
})


def normal(name: str) -> str:
    """What two names are compared by: letters and digits alone, whatever their width, case, accents and look-alikes; blanks of
    every kind, signs and invisible characters count for nothing. The same again for what it gives; empty if nothing is left."""
    # Folding case may bring back what compatibility had taken away, and the other way about.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    # 「一」 is a letter, and the vertical bar stands for one.
    letters = "".join("l" if sign == "|" else sign for sign in folded if sign == "|" or unicodedata.category(sign)[0] in "LN")
    return unicodedata.normalize("NFKC", letters.translate(_LOOK_ALIKE).translate(_LOOK_ALIKE))


def is_simulated(name: str) -> bool:
    """Whether a name is one of a rehearsal's posts."""
    return any(is_same(name, post) for post in (SIMULATED_PREPARER, SIMULATED_APPROVER))


def is_same(one: str, other: str) -> bool:
    """Whether two names are one; a name of which nothing is left is the same as any."""
    return not (first := normal(one)) or not (second := normal(other)) or first == second


@dataclass(frozen=True)
class Post:
    """A post of the plan, or an organisation as a whole (``role`` and ``title`` are empty)."""

    organisation: str
    role: str
    title: str
    shown: str


def posts(plan: Plan, organisation: Organisation) -> tuple[Post, ...]:
    """An organisation's posts."""
    return tuple(Post(organisation.code, contact.role, contact.title, f"{organisation.short}·{contact.title}") for contact in organisation.contacts)


def named(plan: Plan, name: str) -> frozenset[Post]:
    """Every post or organisation of the plan that a name may mean; none if the plan knows no such."""
    key, found = normal(name), set[Post]()
    if not key:
        return frozenset()
    for org in plan.organisations:
        if key in {normal(text) for text in (org.code, org.name, org.short, *org.aliases)}:
            found.add(Post(org.code, "", "", org.short))
        for post, contact in zip(posts(plan, org), org.contacts, strict=True):
            if key in {normal(text) for text in (
                post.title, contact.address, f"{org.code}{post.role}", *(f"{unit}{post.title}" for unit in (org.short, org.name)))}:
                found.add(post)
    if plan.drill is not None:
        found |= {Post("", role, title, title) for role, title in (("clerk", SIMULATED_PREPARER), ("approver", SIMULATED_APPROVER))
                  if key == normal(title)}
    return frozenset(found)


def organisations_named(plan: Plan, name: str) -> frozenset[str]:
    """Codes of the organisations that a name may speak for."""
    return frozenset(post.organisation for post in named(plan, name) if post.organisation)


def approvers(plan: Plan) -> tuple[Post, ...]:
    """Who may decide on a release: the posts of ``approver_role`` in ``approved_by``; that organisation as a whole only where another
    one prepares. A rehearsal has a post of its own besides."""
    approval = plan.approval
    org = plan.organisation(approval.approved_by)
    found = [post for post in posts(plan, org) if post.role == approval.approver_role]
    if approval.prepared_by != approval.approved_by:
        found.append(Post(org.code, "", "", org.short))
    if plan.drill is not None:
        found.append(Post("", "approver", SIMULATED_APPROVER, SIMULATED_APPROVER))
    return tuple(found)


def refuse_preparer(plan: Plan, by: str) -> None:
    """Raises WrongUse for a preparer of whose name nothing is left, and for a rehearsal's in a campaign that is none."""
    if not normal(by):
        raise WrongUse("nobody is named as preparer.", where=plan.id, cure="Give the post or account that prepares.", told="请填写提请岗位。")
    if plan.drill is None and is_simulated(by):
        raise WrongUse("a rehearsal's post prepares nothing in a campaign.", where=plan.id, cure="Give the post or account that prepares.",
                       told="演练岗位不能用于正式行动。")


def refuse_approver(plan: Plan, by: str, prepared_by: str, where: str) -> None:
    """Four eyes: raises ApprovalMissing for the preparer, however written, and for whoever the plan does not let decide."""
    if is_same(by, prepared_by) or named(plan, by) & named(plan, prepared_by):
        raise ApprovalMissing("the preparer cannot approve.", where=where, cure="Let another person approve it.",
                              told="提请岗位不能批准自己提请的清单，请由其他岗位填写。")
    refuse_undecider(plan, by, where)


def refuse_undecider(plan: Plan, by: str, where: str) -> None:
    """Raises ApprovalMissing for a post that the plan does not let decide on a release, naming those that it does."""
    allowed = approvers(plan)
    if not named(plan, by) & set(allowed):
        shown = "、".join(post.shown for post in allowed)
        raise ApprovalMissing("no post that the plan lets approve is called so.", where=where,
                              cure=f"By approval.approved_by and approver_role it is for: {shown}.",
                              told=f"方案没有授权这个岗位审批。可以审批的岗位：{shown}。")


def refuse_decider(plan: Plan, by: str, organisation: str, where: str) -> None:
    """Raises WrongUse for whoever does not speak for the organisation that the plan lets decide."""
    if organisation not in organisations_named(plan, by):
        org = plan.organisation(organisation)
        shown = "、".join((org.short, *(post.shown for post in posts(plan, org))))
        raise WrongUse("the plan lets another post decide.", where=where, cure=f"It is for: {shown}.",
                       told=f"方案规定由以下单位或岗位决定：{shown}。")
