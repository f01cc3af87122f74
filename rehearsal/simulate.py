"""A synthetic place as files: inbox and truth, without a campaign running."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.errors import StorageUnavailable, WrongUse
from models.plan_file import LoadedPlan
from rehearsal.place import Place
from rehearsal.place_config import read_place
from rules.periods import next_month


def simulate(loaded: LoadedPlan, *, persons: int | None, seed: int, periods: list[str] | None, out: Path) -> dict[str, Any]:
    """Writes ``out/inbox/<feed>/<period>/…`` and ``out/truth/<period>/…`` for the periods asked for.

    The place lives through the months before them, so the same period of the same seed is the same however it is
    reached. Raises WrongUse for a period before the place begins.
    """
    config = read_place(loaded.plan, loaded.path)
    place = Place.create(loaded.plan, config, seed=seed, persons=persons)
    wanted = sorted(set(periods or [config.first_period]))
    if wanted[0] < config.first_period:
        raise WrongUse(f"the place begins in {config.first_period}, not in {wanted[0]}.", cure="Ask for a later month.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"cannot be written ({error.strerror})", where=str(out),
                                 cure="Give a folder this account may write.") from None
    files = 0
    for period in wanted:
        while place.period < period:
            place.advance(next_month(place.period))
        files += len(place.write_feeds(loaded.plan, period, out / "inbox"))
        place.write_truth(loaded.plan, period, out / "truth")
    return {"campaign": loaded.plan.id, "persons": len(place.people), "periods": wanted, "files": files,
            "inbox": str(out / "inbox"), "truth": str(out / "truth")}
