"""The schema for editors and the page of keys say what the model takes: no key is missing, no example is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter

from models import plan_file, plan_schema
from models.plan_schema import declaring, described, models_of_a_plan
from tests.plan.a_plan import a_plan, plan_text

AGAIN = "write it anew: canbao plan schema --write"
CAMPAIGNS = sorted((plan_file.REPOSITORY / "campaigns").glob("*/*.yaml"))
KEYS = [(kind, key) for kind in models_of_a_plan().values() for key in kind.model_fields]


def as_read(text: str) -> Any:
    """A plan's text as the reader of plans sees it."""
    return yaml.load(text, Loader=plan_schema._Loader)


def complaints(text: str) -> list[str]:
    return [error.json_path for error in Draft202012Validator(plan_schema.schema()).iter_errors(as_read(text))]


def test_the_schema_and_the_page_are_current() -> None:
    assert plan_schema.SCHEMA_FILE.read_text(encoding="utf-8") == plan_schema.schema_text(), AGAIN
    assert plan_schema.PAGE_FILE.read_text(encoding="utf-8") == plan_schema.page(), AGAIN


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(plan_schema.schema())


def test_every_key_of_the_model_has_an_entry_and_every_entry_a_key() -> None:
    known = {(name, key) for name, entries in described().items() if name not in (plan_schema.OF_THE_FILE, plan_schema.OF_AN_ITEM) for key in entries}
    assert known == {(declaring(kind, key), key) for kind, key in KEYS}


@pytest.mark.parametrize(("kind", "key"), KEYS, ids=lambda value: value if isinstance(value, str) else value.__name__)
def test_an_entry_speaks_both_languages_and_its_example_is_taken(kind: type[BaseModel], key: str) -> None:
    entry = plan_schema.described_key(kind, key)
    assert entry["zh"].strip()
    assert entry["en"].strip()
    assert entry["example"] not in (None, "", [], {})

    if key == "contracts":  # a contract is long, has a schema and a page of its own, and is held to them there
        return
    field = kind.model_fields[key]
    read = as_read(yaml.safe_dump({"value": entry["example"]}, allow_unicode=True))["value"]
    annotation: Any = field.annotation
    for bound in field.metadata:
        annotation = Annotated[annotation, bound]
    TypeAdapter(annotation).validate_json(json.dumps(read), strict=True)


@pytest.mark.parametrize("path", [path for path in CAMPAIGNS if path.name != "place.yaml"], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_schema_accepts_the_campaigns_and_their_bases(path: Path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


def test_the_schema_takes_a_plan_that_states_only_a_part_and_extends_another() -> None:
    part = {"extends": "expansion", "id": "small-2027", "phases": [{"id": "launch", "ends": "2027-05-01"}]}
    assert complaints(plan_text(part)) == []


@pytest.mark.parametrize(("change", "where"), [
    ({"idd": "x"}, "$"),
    ({"id": "Not A Slug"}, "$.id"),
    ({"calendar": {"roll": "sometimes"}}, "$.calendar.roll"),
    ({"calendar": {"cut_off": "25:00"}}, "$.calendar.cut_off"),
    ({"parameters": {"Bad Name": {"value": 1, "unit": "month", "source": "C1"}}}, "$.parameters"),
    ({"region": {"code": 530999}}, "$.region.code"),
    ({"phases": [{"id": "launch", "kin": "pilot"}]}, "$.phases[0]"),
])
def test_the_schema_refuses_what_the_model_refuses(change: dict[str, Any], where: str) -> None:
    assert complaints(plan_text(a_plan(**change))) == [where]


def test_every_key_stands_on_the_page_with_its_example() -> None:
    page = plan_schema.PAGE_FILE.read_text(encoding="utf-8")
    for name, entries in described().items():
        for key, entry in entries.items():
            assert f"| `{key}` | {entry['zh']}".replace("\n", " ") in page.replace("\\|", "|"), (name, key)
