"""The Great Expectations suite of a contract, and its judgement of one delivery.

The suite looks at states of cells and hashes of keys (``70_flags.sql``), never at a person's data, so nothing personal
can stand in a result. It fails closed: an expectation that raised, or has no result, has not passed. The library takes
seconds to import, hence only when a suite is run; it keeps its context in a global, hence one suite at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from expectations.checks import NOT_RUN, Check, share_text
from expectations.reasons import expected
from models.contract import Contract, Severity, vocabulary

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations import ExpectationSuite
    from great_expectations.expectations import Expectation as Judgement

READABLE = [1, 2]
"""States of a cell that can be used: as it came, or repaired."""
_ONE_AT_A_TIME = Lock()
QUIET: Any = {"globally": False, "metric_calculations": False}
COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}


def judge(contract: Contract, frame: pd.DataFrame, *, empty: Severity) -> tuple[Check, ...]:
    """Every expectation of the contract on a delivery's states. ``empty`` is the severity of a file without rows.

    Whatever goes wrong in the library counts as a failure of every expectation: its text could quote data, and is not
    kept.
    """
    rules = _rules(contract, empty)
    try:
        with _ONE_AT_A_TIME:
            results = _results(contract, frame)
    except Exception:
        results = {}
    return tuple(_check(contract, rule_id, *rule, results.get(rule_id)) for rule_id, rule in rules.items())


def suite(contract: Contract) -> ExpectationSuite:
    """The contract's suite: structure, completeness, validity, uniqueness, cross-column."""
    import great_expectations as gx

    return gx.ExpectationSuite(name=contract.feed, expectations=[*_judgements(contract)])


def _rules(contract: Contract, empty: Severity) -> dict[str, tuple[Severity, str, float | None]]:
    """Rule id to severity, what it says, and the share it asks for."""
    feed = contract.feed
    always: tuple[tuple[str, Severity], ...] = (("columns_present", "return"), ("rows_present", empty))
    rules: dict[str, tuple[Severity, str, float | None]] = {
        f"{feed}.{rule}": (severity, vocabulary()["rules"][rule], None)
        for rule, severity in always
    }
    for expectation in contract.expectations:
        rules[f"{feed}.{expectation.id}"] = expectation.severity, expected(contract, expectation), expectation.at_least
    return rules


def _judgements(contract: Contract) -> Iterator[Judgement]:
    from great_expectations import expectations as gxe

    columns = [e.column or e.id for e in contract.expectations if e.kind != "uniqueness"]
    yield gxe.ExpectTableColumnsToMatchSet(
        column_set=["key_of_row", *dict.fromkeys(columns)], exact_match=False, meta=_meta(contract, "columns_present")
    )
    yield gxe.ExpectTableRowCountToBeBetween(min_value=1, meta=_meta(contract, "rows_present"))
    for expectation in contract.expectations:
        column = expectation.column or expectation.id
        shared: dict[str, Any] = {"mostly": expectation.at_least, "meta": _meta(contract, expectation.id)}
        if expectation.kind == "completeness":
            yield gxe.ExpectColumnValuesToNotBeNull(column=column, **shared)
        elif expectation.kind == "validity":
            yield gxe.ExpectColumnValuesToBeInSet(column=column, value_set=READABLE, **shared)
        elif expectation.kind == "uniqueness":
            yield gxe.ExpectColumnValuesToBeUnique(column="key_of_row", **shared)
        else:
            yield gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[1], **shared)


def _meta(contract: Contract, rule: str) -> dict[str, str]:
    return {"rule_id": f"{contract.feed}.{rule}"}


@cache
def _deliveries() -> Any:
    """Where deliveries' states are looked at: one context a process, in memory, for making one writes its configuration out
    three times. Only to be used by one thread at a time."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    in_memory = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(), progress_bars=QUIET, analytics_enabled=False
    )
    context = gx.get_context(mode="ephemeral", project_config=in_memory)
    asset = context.data_sources.add_pandas("deliveries").add_dataframe_asset("states")
    return asset.add_batch_definition_whole_dataframe("all")


def _results(contract: Contract, frame: pd.DataFrame) -> dict[str, Any]:
    batch = _deliveries().get_batch({"dataframe": frame})
    outcome = batch.validate(suite(contract), result_format=COUNTS_ONLY)
    configured = [(result.expectation_config, result) for result in outcome.results]
    return {config.meta["rule_id"]: result for config, result in configured if config and config.meta}


def _check(
    contract: Contract, rule_id: str, severity: Severity, says: str, at_least: float | None, result: Any
) -> Check:
    if result is None or _raised(result.exception_info):
        return Check(rule_id, severity, False, NOT_RUN, f"{says}：该项检查未能进行，按不合格处理")
    passed = bool(result.success)
    if at_least is None:
        counted = result.result.get("observed_value")
        observed = str(len(counted) if isinstance(counted, list) else counted)
        return Check(rule_id, severity, passed, observed, says if passed else f"不符合「{says}」")
    percent = result.result.get("unexpected_percent")
    if percent is None:  # every cell is blank, or there is no row: nothing was looked at
        return Check(rule_id, severity, passed, "0 rows", says)
    share = 1 - percent / 100
    return Check(rule_id, severity, passed, f"{share:.6f}", f"{says}：{share_text(share)}，要求不低于 {share_text(at_least)}")


def _raised(info: Any) -> bool:
    """The library reports an exception flat, or by metric."""
    if not info:
        return False
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(entry.get("raised_exception") for entry in info.values() if isinstance(entry, dict))
