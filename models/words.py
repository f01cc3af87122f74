"""The closed words of a plan, one table each: whatever branches on such a word reads its row here, and a word without a row
is refused, never read as another.

Lists, feeds, categories and organisations are the plan's own words: any slug, checked against what the plan and the
contracts hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True)
class PhaseKind:
    """A kind of phase: what it is called, and the flow (a deployment's name) that runs it.

    ``takes_back``: owners work their rosters in it, and its flow takes back what they hand in; of several phases that run the
    last begun decides, and ``takes_back_otherwise`` marks the one whose flow does it while none runs. ``in_chosen_places``:
    while it is the field work, only the phase's ``pilots`` are handed rosters. ``compares_alone``: its flow compares while
    phases of no other kind run. ``open_ended``: it may go on without an end. ``only_meanwhile``: its flow has nothing to do while no
    such phase runs.
    """

    name: str
    flow: str
    takes_back: bool = False
    takes_back_otherwise: bool = False
    in_chosen_places: bool = False
    compares_alone: bool = False
    open_ended: bool = False
    only_meanwhile: bool = False


PHASE_KINDS: dict[str, PhaseKind] = {
    "mobilisation": PhaseKind("宣传发动", "mobilisation"),
    "preparation": PhaseKind("实施准备", "preparation", only_meanwhile=True),
    "comparison": PhaseKind("数据比对", "data-comparison"),
    "pilot": PhaseKind("试点", "pilot", takes_back=True, in_chosen_places=True),
    "survey": PhaseKind("入户调查", "survey", takes_back=True),
    "contribution": PhaseKind("参保缴费", "contribution", takes_back=True, takes_back_otherwise=True),
    "self_assessment": PhaseKind("自查自评", "self-assessment", takes_back=True),
    "acceptance": PhaseKind("总结验收", "acceptance"),
    "routine": PhaseKind("常态运行", "routine", compares_alone=True, open_ended=True),
}
"""Each kind has one flow, and one row in ``deployments/listing.yaml`` says how that is deployed."""

COMPARISON_FLOW = "data-comparison"
"""Who compares where no row of ``compares_alone`` does."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A way for a message to leave: the sender of ``tasks.channels`` that knows how, and the setting of the site that says
    where to.

    Without its setting a message is held, unless another channel (``otherwise``) is told to stand in. With ``is_named_by_site``
    the setting holds the name of the channel that is meant here. ``in_plans``: a ladder's step may name it.
    """

    name: str
    sender: str = ""
    setting: str = ""
    otherwise: str = ""
    is_named_by_site: bool = False
    in_plans: bool = True


CHANNELS: dict[str, Channel] = {
    "message": Channel("通常的通道", setting="CANBAO_MESSAGE_CHANNEL", otherwise="files", is_named_by_site=True),
    "files": Channel("文件", sender="files"),
    "email": Channel("电子邮件", sender="mail", setting="CANBAO_SMTP_URL"),
    "webhook": Channel("群机器人", sender="webhook", setting="CANBAO_WEBHOOK_URL"),
    "alarm": Channel("告警通道", sender="webhook", setting="CANBAO_ALARM_URL", otherwise="files", in_plans=False),
}


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """What a list may be about: its name, the column by which the record knows one and that of the number which people know,
    how a roster heads its name, its number, and the employer beside it, and what is shown of each row behind a figure."""

    name: str
    key: str
    number: str
    heads_name: str
    heads_number: str
    heads_employer: str
    shown: tuple[str, ...]


SUBJECT_KINDS: dict[str, SubjectKind] = {
    "person": SubjectKind("人员", "person_id", "id_number", "姓名", "证件号码", "单位名称",
                          ("id_number", "name", "township", "village", "category")),
    "employer": SubjectKind("单位", "employer_id", "credit_code", "单位名称", "统一社会信用代码", "单位名称",
                            ("credit_code", "name", "township", "kind", "status")),
    "project": SubjectKind("项目", "project_id", "permit_no", "项目名称", "施工许可证号", "施工单位",
                           ("permit_no", "name", "township", "department", "is_insured")),
}
"""Each has a profile of its own (``models.profile``)."""


class _OneOf:
    """A text that stands in a table; looked up when it is read, so that the table is the only place that knows."""

    def __init__(self, table: Mapping[str, Any], condition: str = "") -> None:
        self._table, self._condition = table, condition

    def words(self) -> list[str]:
        """The words that may be said."""
        return [word for word, row in self._table.items() if not self._condition or getattr(row, self._condition)]

    def check(self, word: str) -> str:
        """The word, if there is a row for it."""
        if word not in self.words():
            allowed = ", ".join(f"'{known}'" for known in self.words())
            raise PydanticCustomError("unknown_word", "Input should be {expected}", {"expected": allowed})
        return word

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "enum": self.words()}


_PHASES, _CHANNELS, _SUBJECTS = _OneOf(PHASE_KINDS), _OneOf(CHANNELS, "in_plans"), _OneOf(SUBJECT_KINDS)
PhaseWord = Annotated[str, AfterValidator(_PHASES.check), _PHASES]
ChannelWord = Annotated[str, AfterValidator(_CHANNELS.check), _CHANNELS]
SubjectWord = Annotated[str, AfterValidator(_SUBJECTS.check), _SUBJECTS]
