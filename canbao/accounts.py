"""The commands that say who may act for which post."""

from __future__ import annotations

from typing import Annotated

import typer

from canbao.app import OPERATIONS, AsOf, CampaignArg, Json, answer, app, campaign_id, instant_of, show

account_app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="Accounts: who may act for which post of a plan.")
app.add_typer(account_app, name="account", rich_help_panel=OPERATIONS)
Number = Annotated[int, typer.Option("--account", help="Number of the account.")]


@account_app.command("add")
def add(
    campaign: CampaignArg, post: Annotated[str, typer.Option("--post", help="A post of the plan, as 单位·岗位, its title or its address.")],
    login: Annotated[str | None, typer.Option("--login", help="The user of the operating system who holds it: for commands.")] = None,
    codes: Annotated[bool, typer.Option("--codes", help="Give out single-use codes: for forms.")] = False,
    as_of: AsOf = None, as_json: Json = False,
) -> None:
    """Lets somebody act for a post of the plan. From the first account on, a typed name alone counts for nothing."""
    from tasks import accounts

    code = campaign_id(campaign)
    result = accounts.add(code, post, login, codes, instant_of(code, as_of))
    answer(result, as_json, f"account {result['account']}: {result['post']}{f', login {login}' if login else ''}.{_secret(result)}")


@account_app.command("list")
def listed(campaign: CampaignArg, as_json: Json = False) -> None:
    """The accounts of a campaign."""
    from canbao.pages import table
    from tasks import accounts

    code = campaign_id(campaign)
    found = accounts.listed(code)
    show({"campaign": code, "accounts": found}, as_json, lambda: table(
        [("账号", "岗位", "登录名", "验证码")] + [
            (str(row["account"]), row["post"] + ("" if row["in_plan"] else "（方案已无此岗位）"), row["login"] or "–", "有" if row["codes"] else "–")
            for row in found] if found else [("no account: names are taken as they are typed.",)]))


@account_app.command("codes")
def codes(campaign: CampaignArg, number: Number, as_of: AsOf = None, as_json: Json = False) -> None:
    """Gives out new codes; those before count no more. For a new telephone, or one that was lost."""
    from tasks import accounts

    code = campaign_id(campaign)
    result = accounts.renew(code, number, instant_of(code, as_of))
    answer(result, as_json, f"account {number} has new codes.{_secret(result)}")


@account_app.command("remove")
def remove(campaign: CampaignArg, number: Number, as_of: AsOf = None, as_json: Json = False) -> None:
    """Ends an account: nobody acts by it any more."""
    from tasks import accounts

    code = campaign_id(campaign)
    result = accounts.remove(code, number, instant_of(code, as_of))
    answer(result, as_json, f"account {number} ended.")


def _secret(result: dict[str, object]) -> str:
    if "secret" not in result:
        return ""
    return (f"\n  Enter this in the authenticator of whoever holds the post; it is shown this once:\n    {result['secret']}\n    {result['uri']}")
