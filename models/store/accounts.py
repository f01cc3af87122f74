"""Accounts: who may act for a post of the plan, and which codes were used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.tables import Account, AccountCode

Row = RowMapping


def in_force(tx: Connection, campaign: str) -> list[Row]:
    """The accounts that were not removed, by number."""
    return list(tx.execute(select(Account.__table__).where(Account.campaign_id == campaign, Account.removed_at.is_(None))
                           .order_by(Account.id)).mappings())


def add(tx: Connection, campaign: str, organisation: str, title: str, os_user: str | None, at: datetime, by: str) -> int | None:
    """A further account; its number, or None where this user of the system has one already."""
    return tx.execute(insert(Account).values(
        campaign_id=campaign, organisation=organisation, title=title, os_user=os_user, added_at=at, added_by=by, codes=0,
    ).on_conflict_do_nothing().returning(Account.id)).scalar()


def remove(tx: Connection, campaign: str, number: int, at: datetime) -> bool:
    """Ends an account; whether there was one."""
    return bool(tx.execute(update(Account).where(
        Account.campaign_id == campaign, Account.id == number, Account.removed_at.is_(None)).values(removed_at=at)).rowcount)


def new_codes(tx: Connection, campaign: str, number: int) -> int | None:
    """From now on other codes than before; which ones they are, counted from 1, or None where there is no such account."""
    return tx.execute(update(Account).where(
        Account.campaign_id == campaign, Account.id == number, Account.removed_at.is_(None),
    ).values(codes=Account.codes + 1).returning(Account.codes)).scalar()


def used_for(tx: Connection, number: int, purpose: str) -> list[int]:
    """The steps whose codes were used for exactly this."""
    return list(tx.execute(select(AccountCode.step).where(
        AccountCode.account_id == number, AccountCode.purpose == purpose, AccountCode.held)).scalars())


def use(tx: Connection, number: int, step: int, purpose: str, at: datetime) -> bool:
    """Uses the code of a step up. False where it, or a later one, was used before."""
    later = tx.execute(select(func.max(AccountCode.step)).where(AccountCode.account_id == number, AccountCode.held)).scalar()
    if later is not None and later >= step:
        return False
    return bool(tx.execute(insert(AccountCode).values(
        account_id=number, step=step, held=True, purpose=purpose, at=at).on_conflict_do_nothing()).rowcount)


def failed(tx: Connection, number: int, step: int, at: datetime) -> None:
    """A code was tried that does not hold."""
    tx.execute(insert(AccountCode).values(account_id=number, step=step, held=False, purpose="", at=at))


def failures_since(tx: Connection, number: int, step: int) -> int:
    """How many codes that did not hold were tried since a step."""
    return tx.execute(select(func.count()).select_from(AccountCode).where(
        AccountCode.account_id == number, AccountCode.held.is_(False), AccountCode.step > step)).scalar_one()
