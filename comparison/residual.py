"""Tier 2: rows without a sound number, compared with persons by everything else, by a Splink model kept as JSON.

The model only weighs: pairs are chosen by ``24_wanted.sql``, judged by ``24_probable.sql``, and nothing is trained here.
What is compared are ASCII keys, codes and dates, for DuckDB counts bytes (platform.md). Weights are log2 of how much
likelier an agreement is for one person than for two; how common each name is comes from the population itself.
"""

from __future__ import annotations

import json
import logging
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from models.errors import RunDoesNotBalance

MODELS = Path(__file__).parent / "models"


@cache
def model(name: str) -> dict[str, Any]:
    """A trained model as it is stored. Versions are never changed, only followed by another."""
    settings: dict[str, Any] = json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))
    return settings


def weigh(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Makes ``answers(row_id, person, weight)``: the weight of evidence for each of ``questions``, without any prior.

    In: ``residual_rows``, ``residual_people``, ``residual_frequencies`` and ``questions`` of ``24_wanted.sql``.
    """
    if not connection.execute("SELECT count(*) FROM questions").fetchall()[0][0]:
        connection.execute("CREATE TABLE answers (row_id BIGINT, person BIGINT, weight DOUBLE)")
        return
    linker = open_linker(connection, model(name))
    api = linker._db_api
    connection.execute("""
        CREATE TABLE blocked_questions AS
        SELECT '0' AS match_key, 'a_rows-__-' || row_id AS join_key_l, 'b_people-__-' || person AS join_key_r
        FROM questions""")
    linker.table_management.register_blocked_pairs_for_predict(
        api.register("blocked_questions", table_name="canbao_questions"))
    try:
        predicted = linker.inference.predict(warning_mode="never").physical_name
    except Exception as error:
        # Splink quotes the statement that failed, and the database may quote a cell.
        raise RunDoesNotBalance(
            f"the residual model {name} failed ({type(error).__name__}).", where="comparison",
            cure="Check that the model belongs to this version of the software, then run it again.") from None
    connection.execute(f"""
        CREATE TABLE answers AS
        SELECT unique_id_l::BIGINT AS row_id, unique_id_r::BIGINT AS person,
               match_weight - log2({prior(model(name))}) AS weight FROM {predicted}""")


def prior(settings: dict[str, Any]) -> float:
    """The odds that a model assumes before it looks; they are taken out of its answers again."""
    share = float(settings["probability_two_random_records_match"])
    return share / (1 - share)


def open_linker(connection: duckdb.DuckDBPyConnection, settings: dict[str, Any]) -> Any:
    """A Splink linker over ``residual_rows`` and ``residual_people``. It says nothing: its log could quote a name."""
    # Splink and what it brings take a second to import; most commands never need it.
    from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.CRITICAL)
    api = DuckDBAPI(connection=connection)
    # Splink tells left from right by the order of these names.
    rows = api.register("residual_rows", dataset_display_name="a_rows")
    people = api.register("residual_people", dataset_display_name="b_people")
    linker = Linker([rows, people], settings, log_level=logging.CRITICAL, validate_settings=False)
    linker.table_management.register_term_frequency_lookup(
        api.register("residual_frequencies", table_name="canbao_frequencies"), "core")
    return linker
