"""The check of a whole plan: its file, its sections against each other, and its expressions, each fault with a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from comparison import expressions
from models import plan_file
from models.errors import Fault, PlanUnsound
from models.plan import Plan
from models.plan_file import LoadedPlan
from rules import soundness


@dataclass(frozen=True)
class Report:
    """The plan (None where the file cannot be read as one), every fault, and every note, in the order of lines."""

    plan: Plan | None
    faults: list[Fault]
    notes: list[Fault]

    @property
    def is_sound(self) -> bool:
        """Whether a campaign may start from it; notes do not hinder."""
        return not self.faults


def check(path: Path) -> Report:
    """Every fault and note of one plan file. Faults of the schema hide the others: they are found when these are
    mended."""
    try:
        loaded = plan_file.read(path)
    except PlanUnsound as unsound:
        return Report(None, unsound.faults, [])
    return Report(
        loaded.plan,
        loaded.located(_faults(loaded)),
        loaded.located(soundness.notes(loaded.plan)),
    )


def load_sound(campaign: str, root: Path | None = None) -> LoadedPlan:
    """The plan of a campaign (an id or a path). Raises WrongUse if there is none, PlanUnsound with every fault."""
    loaded = plan_file.read(plan_file.find(campaign, root))
    faults = _faults(loaded)
    if faults:
        raise PlanUnsound(loaded.plan.id, loaded.located(faults))
    return loaded


def _faults(loaded: LoadedPlan) -> list[Fault]:
    return [*_misplaced(loaded), *soundness.faults(loaded.plan), *expressions.faults(loaded.plan)]


def _misplaced(loaded: LoadedPlan) -> list[Fault]:
    """A plan under ``campaigns/`` is called by its folder's name; its records by its own id: the two must agree."""
    folder = loaded.path.resolve().parent
    if loaded.path.name != plan_file.PLAN_NAME or folder.parent.name != "campaigns" or folder.name == loaded.plan.id:
        return []
    return [Fault("id", f"the plan calls itself `{loaded.plan.id}` but stands in the folder {folder.name}.",
                  "Give both the same name.")]
