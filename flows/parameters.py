"""What a form in Prefect's UI, or whoever starts a run through its API, may give a flow.

Prefect checks a parameter against its pattern before it keeps it, and keeps for good what it accepts: in seven of its tables,
readable to everybody who sees the runs. So each is as narrow as what it can mean, and none admits a number of a person: where
words are free, no six digits stand in a row.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

_NO_NUMBER = r"^([^0-9０-９]|[0-9０-９]{1,5}([^0-9０-９]|$))*$"
"""No six digits in a row, half or full width. Without looking ahead, which one of the two checkers cannot."""
_NO_LONG_NUMBER = r"^([^0-9０-９ ]|[0-9０-９ ]{1,10}([^0-9０-９ ]|$))*$"
"""No eleven, with blanks among them: folders are called by days."""

Campaign = Annotated[str, Field(pattern=r"^[a-z]([a-z-]|[0-9]{1,5}([a-z-]|$))*$", max_length=60)]
"""The id of a campaign."""
Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
"""A month, YYYY-MM."""
PeriodLabel = Annotated[str, Field(pattern=r"^([0-9]{4}(-(0[1-9]|1[0-2])[ab]?|-Q[1-4]|-F[0-9]{2})?|once)$")]
"""The label of any period of a plan (rules.periods)."""
Slug = Annotated[str, Field(pattern=r"^[a-z]([a-z_]|[0-9]{1,5}([a-z_]|$))*$", max_length=60)]
"""The id of something in a plan."""
Post = Annotated[str, Field(pattern=_NO_NUMBER, min_length=1, max_length=60)]
"""A post or an account, never a person's name."""
Code = Annotated[str, Field(pattern=r"^([0-9]{6})?$")]
"""A single-use code of a post's holder; what Prefect keeps of it is worth nothing by then."""
Place = Annotated[str, Field(pattern=_NO_LONG_NUMBER, max_length=500)]
"""A path on the machine where the run runs: a folder of files, or a plan."""
Words = Annotated[str, Field(pattern=_NO_NUMBER, max_length=500)]
"""A reason in words."""
Told = Annotated[str, Field(pattern=_NO_LONG_NUMBER, max_length=200)]
"""What an automation tells: the name of a run, of an event, of a unit and a month."""
