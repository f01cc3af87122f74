"""Reads whatever workbook of ours came back, told by what is hidden in it."""

from __future__ import annotations

from pathlib import Path

from documents.model import ReportReturn, RosterReturn
from documents.report_form import report_form_of
from documents.roster import roster_of
from documents.workbook import FORM_SCHEMA, ROSTER_SCHEMA, open_returned


def read_returned(path: Path) -> RosterReturn | ReportReturn:
    """A worked roster, or a report or text form. Raises FileReturned if the workbook is none of ours."""
    returned = open_returned(path, ROSTER_SCHEMA, FORM_SCHEMA)
    return roster_of(returned) if returned.head["schema"] == ROSTER_SCHEMA else report_form_of(returned)
