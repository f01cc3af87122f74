"""A campaign's plan as one file that extends nothing, for tests that change a line of it."""

from __future__ import annotations

import json
import re

import yaml

from models.plan_file import find, read


class _Indented(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def whole_text(campaign: str) -> str:
    """The plan with everything it inherits, a key a line; days, months and times stand without quotes, as people write them."""
    text = yaml.dump(json.loads(read(find(campaign)).text), Dumper=_Indented, allow_unicode=True, sort_keys=False, width=10_000)
    return re.sub(r"'(\d{4}-\d\d(?:-\d\d)?|\d\d:\d\d)'$", r"\1", text, flags=re.MULTILINE)
