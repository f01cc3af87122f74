"""The catalogue of 46 defects (domain.md, Files): which of them a synthetic place makes, and how often.

Every choice follows from the seed, the defect, the feed and the subject, and from nothing asked before: switching one
defect on or off leaves the others where they were, and a fault of a row lasts from month to month, as it does in a
register. Rates are shares between 0 and 1; ``defects.yaml`` states them, ``place.yaml`` and the command line change them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator

from models.errors import WrongUse
from models.plan import Strict

CATALOGUE = Path(__file__).with_name("defects.yaml")
Scope = Literal["departments", "deliveries", "rows", "place"]
"""What a rate is a share of; see ``defects.yaml``."""


class Defect(Strict):
    """One row of the catalogue. ``also`` holds further rates of it by name; ``feeds``: the only ones that have it."""

    number: int = Field(ge=1, le=46)
    id: str
    what: str
    of: Scope
    rate: float = Field(ge=0, le=1)
    outcome: Literal["fixed", "accepted", "quarantined", "duplicate", "dropped", "returned", "warned", "finding"]
    also: dict[str, float] = Field(default_factory=dict)
    feeds: tuple[str, ...] = ()


@cache
def words() -> dict[str, Any]:
    """The catalogue's file as it stands: what faults are made of."""
    stated: dict[str, Any] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return stated


@cache
def catalogue() -> dict[int, Defect]:
    """The 46 defects by number."""
    return {entry["number"]: Defect.model_validate(entry) for entry in words()["defects"]}


def _rate_keys() -> frozenset[str]:
    return frozenset(
        key for defect in catalogue().values()
        for key in (str(defect.number), *(f"{defect.number}.{part}" for part in defect.also)))


class DefectSettings(Strict):
    """``place.yaml defects:``. ``make`` names the defects by number, or all or none of them; ``rates`` replaces rates
    of the catalogue by their key: ``"20"``, or ``"26.dotted"`` for a further rate of a defect."""

    make: Literal["all", "none"] | tuple[int, ...] = "none"
    rates: dict[str, float] = Field(default_factory=dict)

    @field_validator("make")
    @classmethod
    def _known_numbers(cls, make: str | tuple[int, ...]) -> str | tuple[int, ...]:
        unknown = [] if isinstance(make, str) else sorted(set(make) - set(catalogue()))
        if unknown:
            raise ValueError(f"the catalogue has defects 1 to 46, not {', '.join(map(str, unknown))}")
        return make

    @field_validator("rates", mode="before")
    @classmethod
    def _keys_as_text(cls, rates: dict[Any, Any]) -> dict[str, Any]:
        """YAML reads ``20:`` as a number and ``20.dotted:`` as text."""
        return {str(key): rate for key, rate in rates.items()}

    @field_validator("rates")
    @classmethod
    def _known_rates(cls, rates: dict[str, float]) -> dict[str, float]:
        unknown = sorted(rates.keys() - _rate_keys())
        if unknown:
            raise ValueError(f"no such rate: {', '.join(unknown)}; there are {', '.join(sorted(_rate_keys()))}")
        outside = sorted(key for key, rate in rates.items() if not 0 <= rate <= 1)
        if outside:
            raise ValueError(f"rates are shares between 0 and 1: {', '.join(outside)}")
        return rates

    @property
    def numbers(self) -> frozenset[int]:
        """The defects that are made."""
        if isinstance(self.make, str):
            return frozenset(catalogue()) if self.make == "all" else frozenset()
        return frozenset(self.make)

    def without(self, numbers: Iterable[int]) -> DefectSettings:
        """The same, but for some defects."""
        return self.model_copy(update={"make": tuple(sorted(self.numbers - set(numbers)))})

    def rate(self, number: int, part: str = "") -> float:
        """The rate of a defect that is made, or of one part of it; 0 where it is not made."""
        if number not in self.numbers:
            return 0.0
        defect, key = catalogue()[number], f"{number}.{part}" if part else str(number)
        return self.rates.get(key, defect.also[part] if part else defect.rate)


def asked(make: str | None, rates: Iterable[str], stated: DefectSettings) -> DefectSettings:
    """What the command line asks for over what the place states: ``all``, ``none`` or ``1,5,13``; ``20=0.01``.

    Raises WrongUse saying what is known.
    """
    try:
        chosen = _numbers(make) if make is not None else stated.make
        over = dict(_rate(text) for text in rates)
        return DefectSettings.model_validate({"make": chosen, "rates": {**stated.rates, **over}})
    except ValueError as refusal:
        told = getattr(refusal, "errors", None)
        what = "; ".join(entry["msg"] for entry in told()) if told else str(refusal)
        raise WrongUse(f"{what}.", where="defects", cure="Give all, none or numbers such as 1,5,13; rates as 20=0.01.") from None


def _numbers(make: str) -> str | tuple[int, ...]:
    if make in ("all", "none"):
        return make
    if not re.fullmatch(r"\d+(\s*,\s*\d+)*", make.strip()):
        raise ValueError(f"{make!r} names no defects")
    return tuple(int(number) for number in make.split(","))


def _rate(text: str) -> tuple[str, float]:
    key, separator, rate = text.partition("=")
    if not separator:
        raise ValueError(f"{text!r} is no rate")
    return key.strip(), float(rate)
