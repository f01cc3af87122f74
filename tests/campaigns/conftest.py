"""What a plan's expressions say of one subject, for tests that work out the answer from the document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from comparison.expressions import render
from models.plan import OwnerCase, Plan
from models.profile import columns


@dataclass(frozen=True)
class Verdict:
    """A plan's judgement of subjects of which only some facts are given: a flag not given is false, everything else
    not given is unknown, as in the profile of a comparison."""

    plan: Plan

    def asked(self, subject: str, expression: str, facts: dict[str, Any]) -> Any:
        known = columns(subject)
        assert set(facts) <= set(known), "a fact that the profile does not know"
        row = ", ".join(
            f"CAST({_literal(facts.get(name, False if column.type == 'BOOLEAN' else None))} AS {column.type}) AS {name}"
            for name, column in known.items()
        )
        values = {name: parameter.value for name, parameter in self.plan.parameters.items()}
        return duckdb.execute(f"SELECT ({render(expression, values)}) FROM (SELECT {row})").fetchall()[0][0]

    def category(self, **facts: Any) -> str:
        return next(entry.id for entry in self.plan.categories if self.asked("person", entry.where, facts))

    def lists(self, **facts: Any) -> set[str]:
        """The lists a person is on."""
        facts = {**facts, "category": self.category(**facts)}
        people = [entry for entry in self.plan.lists if entry.subject == "person"]
        return {entry.id for entry in people if self.asked("person", entry.where, facts)}

    def holds(self, key: str, **facts: Any) -> bool:
        """Whether an employer or a project is on a list."""
        entry = self.plan.item("lists", key)
        return bool(self.asked(entry.subject, entry.where, facts))

    def lead(self, key: str, **facts: Any) -> str:
        """The first owner case that holds."""
        entry = self.plan.item("lists", key)
        return self._named(entry.subject, entry.owner, facts)[0]

    def co_owners(self, key: str, **facts: Any) -> list[str]:
        entry = self.plan.item("lists", key)
        return self._named(entry.subject, entry.co_owners, facts)

    def _named(self, subject: str, cases: tuple[OwnerCase, ...], facts: dict[str, Any]) -> list[str]:
        return [str(case.org or facts[case.column or ""]) for case in cases if self.asked(subject, case.when, facts)]


def _literal(value: Any) -> str:
    return "NULL" if value is None else f"'{value}'"


@pytest.fixture(scope="session")
def verdict() -> Callable[[Plan], Verdict]:
    """``verdict(plan)`` judges by that plan."""
    return Verdict
