"""What other tools take for the comparison's work, and the whole of our own way through record and rosters."""

from __future__ import annotations

import hashlib
import logging
import os
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from comparison.database import period_end

Inputs = dict[str, list[Path]]


def pandas_merges(inputs: Inputs) -> int:
    """The exact-number part as most would write it: one left merge per register, then the names compared."""
    import pandas as pd

    from comparison.registers import registers

    people = pd.concat([pd.read_parquet(inputs[feed][0], columns=["id_number", "name", "sex", "township", "village"])
                        for feed in ("population", "residence_permits")]).drop_duplicates("id_number")
    linked = 0
    for feed in registers():
        if feed in inputs:
            rows = pd.read_parquet(inputs[feed][0])
            merged = rows.merge(people, on="id_number", how="left", suffixes=("", "_of_person"), indicator=True)
            linked += int(((merged["_merge"] == "both") & (merged["name"] == merged["name_of_person"])).sum())
    return linked


def splink_over_everything(inputs: Inputs, told: Path) -> None:
    """Every register row against every person by Splink alone, trained on them as its manual says.

    Pairs are sought by number, by name and birthday, and by parts of the number that one wrong digit leaves whole. Writes to
    ``told`` how many rows it linked. A sound number's row counts where it found that number's person; any person counts for
    a number that is none.
    """
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    from comparison.database import connect, quoted
    from comparison.registers import registers

    columns = "id_number, name, try_strptime(substr(id_number, 7, 8), '%Y%m%d')::DATE AS birth_date"
    with connect(memory_gb=6) as connection:
        connection.execute("CREATE TABLE people AS " + " UNION ALL ".join(
            f"SELECT id_number AS unique_id, {columns} FROM read_parquet({quoted(inputs[feed][0])})"
            for feed in ("population", "residence_permits")))
        rows = []
        for feed in registers():
            if feed not in inputs:
                continue
            rows.append(f"SELECT '{feed}' || row_number AS unique_id, {columns}, id_number AS sound FROM read_parquet({quoted(inputs[feed][0])})")
            doubtful = inputs[feed][0].with_suffix(".doubtful.parquet")
            rows.append(f"SELECT '{feed}' || row_number AS unique_id, id_given AS id_number, name, "
                        f"try_strptime(substr(id_given, 7, 8), '%Y%m%d')::DATE AS birth_date, NULL::VARCHAR AS sound "
                        f"FROM read_parquet({quoted(doubtful)})")
        connection.execute("CREATE TABLE rows AS " + " UNION ALL BY NAME ".join(rows))
        api = DuckDBAPI(connection=connection)
        by_number, by_name = block_on("id_number"), block_on("name", "birth_date")
        settings = SettingsCreator(
            link_type="link_only",
            comparisons=[cl.LevenshteinAtThresholds("id_number", [1, 2]), cl.LevenshteinAtThresholds("name", 3),
                         cl.ExactMatch("birth_date")],
            blocking_rules_to_generate_predictions=[
                by_number, by_name, block_on("substr(id_number, 10, 9)"), block_on("substr(id_number, 1, 10)", "substr(id_number, 15, 4)")])
        linker = Linker([api.register("people", dataset_display_name="a_people"),
                         api.register("rows", dataset_display_name="b_rows")], settings, log_level=logging.CRITICAL)
        linker.training.estimate_probability_two_random_records_match([by_number], recall=0.95)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e7)
        for trained_within in (by_number, by_name):
            linker.training.estimate_parameters_using_expectation_maximisation(trained_within)
        predicted = linker.inference.predict(threshold_match_probability=0.5).physical_name
        best = connection.execute(f"""
            SELECT count(*) FROM (SELECT unique_id_l, unique_id_r AS unique_id FROM {predicted}
            QUALIFY row_number() OVER (PARTITION BY unique_id_r ORDER BY match_weight DESC) = 1) JOIN rows USING (unique_id)
            WHERE coalesce(sound = unique_id_l, true)""").fetchall()
    told.write_text(str(best[0][0]), encoding="utf-8")


def accepted(inputs: Inputs, home: Path) -> datetime:
    """A home whose record holds a place's snapshots of a month as accepted deliveries; as of when."""
    from benchmarks.comparison import CAMPAIGN, plan

    os.environ["CANBAO_HOME"] = str(home / "home")
    from models.database import transaction
    from models.store import deliveries
    from tasks.campaign import store_plan

    period = inputs["population"][0].stem
    now = datetime.combine(period_end(period) + timedelta(days=20), time(9), ZoneInfo("Asia/Shanghai"))
    store_plan.fn(CAMPAIGN, now)
    providers: dict[str, str] = {feed.feed: feed.providers[0] for feed in plan().feeds}
    with transaction() as tx:
        for feed, (path,) in inputs.items():
            deliveries.record(tx, {
                "campaign_id": CAMPAIGN, "feed": feed, "period": period, "provider": providers[feed], "file_name": path.name,
                "sha256": hashlib.sha256(f"{feed} {period}".encode()).hexdigest(), "size_bytes": 1, "original": str(path),
                "received_at": now, "rows": 1, "accepted": 1, "quarantined": 0, "duplicate": 0, "dropped": 0,
                "unassigned": 0, "valid_id_share": 1.0, "verdict": "accepted", "reason": "", "reasons": {},
                "snapshot": str(path), "quarantine": None, "part": ""}, [], (), now)
    return now


def whole_run(inputs: Inputs, home: Path) -> None:
    """From accepted snapshots of a month to the record in PostgreSQL and rosters on disk.

    In a home of its own the whole place is recorded and handed out; in that of the month before, the difference is.
    """
    from benchmarks.comparison import CAMPAIGN

    now = accepted(inputs, home)
    from rules.actors import approvers
    from tasks.campaign import plan_in_force
    from tasks.comparison import run_comparison
    from tasks.release import approve, propose, release

    run = run_comparison.fn(CAMPAIGN, inputs["population"][0].stem, now)["run"]
    propose.fn(CAMPAIGN, run, "preparer", now)
    approve.fn(CAMPAIGN, run, approvers(plan_in_force(CAMPAIGN))[0].title, now)
    release.fn(CAMPAIGN, run, now)
