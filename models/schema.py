"""What plans and contracts are written in: strict, frozen records, and the kinds of text that stand in them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, StringConstraints(min_length=1)]
Expression = Annotated[str, StringConstraints(min_length=1)]
"""A boolean (or, for sums, numeric) SQL expression over documented columns; ``$name`` is a plan parameter."""
Number = int | float
Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Unknown keys are refused: a misspelt key must never be read as its absence."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Sourced(Strict):
    """An item that names the clause it comes from, and why if the clause left a choice."""

    source: Text
    note: str = ""
