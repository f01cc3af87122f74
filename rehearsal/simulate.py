"""A synthetic place as files: inbox and truth, without a campaign running."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from models.errors import StorageUnavailable, WrongUse
from models.plan_file import LoadedPlan
from rehearsal.defect_delivery import Sent, deliver_all
from rehearsal.defects import asked
from rehearsal.place import Place
from rehearsal.place_config import read_place
from rehearsal.truth import write_defective_links, write_deliveries
from rules.periods import next_month, previous_month


def simulate(
    loaded: LoadedPlan, *, persons: int | None, seed: int, periods: list[str] | None, out: Path,
    defects: str | None = None, defect_rates: Iterable[str] = (),
) -> dict[str, Any]:
    """Writes ``out/inbox/<feed>/<period>/…`` and ``out/truth/<period>/…`` for the periods asked for.

    The place lives through the months before them, so the same period of the same seed is the same however it is
    reached. ``defects``: ``all``, ``none`` or numbers of the catalogue; left out, what ``place.yaml`` says, which is none
    unless it says otherwise. With any, ``out/truth/files.csv`` and ``out/truth/rows/<feed>/<period>.parquet`` tell what is
    to become of every file and every row. Raises WrongUse for a period before the place begins, or unknown defects.
    """
    config = read_place(loaded.plan, loaded.path)
    settings = asked(defects, defect_rates, config.defects)
    config = config.with_defects(settings)
    wanted = sorted(set(periods or [config.first_period]))
    if wanted[0] < config.first_period:
        raise WrongUse(f"the place begins in {config.first_period}, not in {wanted[0]}.", cure="Ask for a later month.")
    place = Place.create(loaded.plan, config, seed=seed, persons=persons)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(f"cannot be written ({error.strerror})", where=str(out),
                                 cure="Give a folder this account may write.") from None
    files, sent = 0, list[Sent]()
    for period in wanted:
        while place.period < period:
            place.advance(next_month(place.period))
        place.write_truth(loaded.plan, period, out / "truth")
        if settings.numbers:
            now = deliver_all(place, loaded.plan, out / "inbox", settings, has_previous=previous_month(period) in wanted)
            write_deliveries(now, out / "truth")
            write_defective_links(place, loaded.plan, out / "truth", wanted)
            sent += now
            files += len(now)
        else:
            files += len(place.write_feeds(loaded.plan, period, out / "inbox"))
    return {"campaign": loaded.plan.id, "persons": len(place.people), "periods": wanted, "files": files,
            "defects": sorted(settings.numbers), "returned": sum(file.verdict == "returned" for file in sent),
            "inbox": str(out / "inbox"), "truth": str(out / "truth")}
