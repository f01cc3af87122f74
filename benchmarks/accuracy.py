"""How right the comparison is about people: ``python -m benchmarks accuracy FOLDER CAMPAIGN:PERSONS:SEED …``.

Each place is simulated for two months with every defect of the catalogue at its rates, taken in, compared and judged
against its truth; then the clerical bench is answered by the truth, decided, and the month compared again. Everything goes
through the commands that an operator has. Prints the table of ``docs/accuracy.md``, and leaves evaluate.json and
answered.json in each place's folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comparison.plan_check import load_sound
from rehearsal.place_config import read_place
from rules.periods import month, next_month

LISTS = ("uninsured", "deceased_enrolled", "duplicate_enrolment")


def measured(folder: Path, campaign: str, persons: int, seed: int) -> dict[str, Any]:
    """The figures of one place: as compared, and with every question answered."""
    place = folder / f"{campaign}-{persons}-{seed}"
    shutil.rmtree(place, ignore_errors=True)
    loaded = load_sound(campaign)
    first = read_place(loaded.plan, loaded.path).first_period
    period = next_month(first)
    as_of = f"{next_month(period)}-20T09:00:00+08:00"
    truth = ("--period", period, "--truth", str(place / "truth"), "--json")

    def canbao(command: str, *arguments: str, may_say_no: bool = False) -> dict[str, Any]:
        # The answer no is one: some files of a place with every defect are returned.
        done = subprocess.run([sys.executable, "-m", "canbao", command, campaign, *arguments], capture_output=True, text=True,
                              env={**os.environ, "CANBAO_HOME": str(place / "home")}, check=False)
        if done.returncode not in ((0, 1) if may_say_no else (0,)):
            sys.exit(f"canbao {command} {campaign}: {done.stderr[-2000:]}")
        answer: dict[str, Any] = json.loads(done.stdout) if "--json" in arguments else {}
        return answer

    canbao("simulate", "--persons", str(persons), "--seed", str(seed), "--periods", f"{first},{period}", "--out", str(place),
           "--defects", "all")
    canbao("mobilise", "--as-of", f"{month(first).starts.isoformat()}T09:00:00+08:00")
    for label in (first, period):
        canbao("intake", "--inbox", str(place / "inbox"), "--period", label, "--as-of", as_of, "--json", may_say_no=True)
    run = canbao("compare", "--period", period, "--as-of", as_of, "--json")
    before = canbao("evaluate", *truth)
    bench = place / "bench.xlsx"
    canbao("bench", "--period", period, "--out", str(bench), "--purpose", "made-up persons, accuracy", "--as-of", as_of)
    canbao("evaluate", *truth, "--answer-bench", str(bench))
    canbao("decide", str(bench), "--by", "专班综合岗", "--as-of", as_of)
    canbao("compare", "--period", period, "--as-of", as_of)
    after = canbao("evaluate", *truth)
    for name, found in (("evaluate", before), ("answered", after)):
        (place / f"{name}.json").write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    return {"place": place.name, "balance": run["unbalanced"], "before": before, "after": after}


def rows(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The table's column of one place: measure and figure."""
    before, after = found["before"], found["after"]
    ratio = before["groups"]["minority"]["ratio_to_han"]
    lists = [(f"`{name}` {kind}", _share(before["lists"][name][kind], 2)) for name in LISTS if name in before["lists"]
             for kind in ("precision", "recall")]
    return [
        ("precision of automatic links", _share(before["precision"], 4)), ("recall of automatic tiers", _share(before["recall"], 3)),
        ("recall with clerical answers", _share(after["recall_with_clerical"], 3)),
        ("missed, Han", _share(before["groups"]["Han"]["missed"], 3)), ("missed, minority", _share(before["groups"]["minority"]["missed"], 3)),
        ("minority : Han", "–" if ratio is None else f"{ratio:.2f}"),
        ("rows in review : persons", _share(before["review"]["rows"], 3)), ("persons in review", _share(before["review"]["persons"], 3)),
        *lists, ("balance", str(found["balance"])),
    ]


def _share(share: Mapping[str, Any], places: int) -> str:
    if share["value"] is None:
        return "–"
    return (f"{share['value']:.{places}%} [{share['low']:.{places}%}, {share['high']:.{places}%}] "
            f"{share['part']:,}/{share['whole']:,}")


def main(arguments: Sequence[str]) -> int:
    """Measures each place and prints its column."""
    if len(arguments) < 2:
        print("python -m benchmarks accuracy FOLDER CAMPAIGN:PERSONS:SEED …", file=sys.stderr)
        return 2
    for asked in arguments[1:]:
        campaign, persons, seed = asked.split(":")
        found = measured(Path(arguments[0]).resolve(), campaign, int(persons), int(seed))
        print(f"\n{found['place']}")
        for name, figure in rows(found):
            print(f"| {name} | {figure} |", flush=True)
    return 0
