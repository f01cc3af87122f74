"""Looks an installation over and says what to mend. It reads no person, and changes nothing unless it is asked to: then it takes
from other accounts what they could open.

Each check answers with ``ok``, ``warn`` (it runs, but look) or ``mend`` (something does not work, or will not). A check that
could not be made is one to mend: silence is no health.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import httpx
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType, WorkerStatus
from prefect.settings import temporary_settings

from deployments import automations, installation
from deployments.backup import latest as latest_backup
from deployments.backup import place as place_of_backups
from deployments.listing import listing
from deployments.server import as_our_client
from deployments.supervisor import HEALTH_FILE
from models import database
from models.calendars import imported
from models.errors import CanbaoError
from models.loopback import IGNORED, NAMES
from models.machine import GIGABYTE, Share, machine
from models.plan_file import REPOSITORY
from models.private import close, open_to_others
from models.store import campaigns
from models.words import CHANNELS
from rules.calendar import LAST_KNOWN_YEAR
from tasks import accounts
from tasks.campaign import plan_in_force
from tasks.channels import Channels, Files, Held
from tasks.due import campaigns_in_force, everything_due
from tasks.inbox import shown

State = Literal["ok", "warn", "mend"]
POLICY = Path(__file__).with_name("doctor.yaml")
LOCK = REPOSITORY / "requirements.lock"
OPEN_SHOWN = 5
DOORS = ("inbox", "returns")
"""Folders of a campaign into which others copy files, with whatever mode theirs have. The folders are closed."""
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(.*)$")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. ``cure`` is what to do; empty where nothing is to be done."""

    check: str
    state: State
    says: str
    cure: str = ""


@cache
def policy() -> dict[str, dict[str, float]]:
    """From where on something is worth a warning, and from where on it must be mended."""
    found: dict[str, dict[str, float]] = yaml.safe_load(POLICY.read_text(encoding="utf-8"))
    return found


def look_over(as_of: datetime, *, mend: bool = False) -> list[Finding]:
    """Every check, in the order in which one would mend things. With ``mend`` the modes of files and folders are put right."""
    checks: tuple[tuple[str, Callable[[datetime], Iterator[Finding]]], ...] = (
        ("软件", _software), ("机器", _machine), ("目录", partial(_home, mend=mend)), ("磁盘", _disk), ("代理", _proxies), ("数据库", _record),
        ("时钟", _clock), ("节假日历", _calendar),
        ("Prefect", _prefect), ("通道", _channels), ("方案", _campaigns), ("备份", _backups))
    found: list[Finding] = []
    for name, check in checks:
        try:
            found += check(as_of)
        except CanbaoError as fault:
            found.append(Finding(name, "mend", f"{fault.where}: {fault.what}" if fault.where else fault.what, fault.cure))
        except Exception as fault:
            found.append(Finding(name, "mend", f"检查未能完成（{type(fault).__name__}）", "先解决本表前面各项，再运行 canbao doctor"))
    return found


def _either(check: str, is_fine: bool, fine: str, wrong: str, cure: str, state: State = "mend") -> Finding:
    return Finding(check, "ok", fine) if is_fine else Finding(check, state, wrong, cure)


def _graded(key: str, value: float, *, low_is_bad: bool = False) -> State:
    limits = policy()[key]
    states: tuple[State, ...] = ("mend", "warn")
    for state in states:
        if state in limits and (value < limits[state] if low_is_bad else value > limits[state]):
            return state
    return "ok"


# --- the machine ----------------------------------------------------------------------------------------


def _software(as_of: datetime) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield _either("软件", sys.version_info >= (3, 11), f"Python {version}", f"Python {version} 过旧", "改用 Python 3.11 或更新版本")
    strayed = [f"{name} {have or '未安装'}（应为 {want}）" for name, want, have in _strayed()]
    yield _either("软件", not strayed, "软件包与锁定版本一致", f"{len(strayed)} 个软件包与锁定版本不符：{'、'.join(strayed[:5])}",
                  "运行 make setup（或重新构建镜像）")


def _strayed() -> Iterator[tuple[str, str, str | None]]:
    """Packages whose version is not the lock file's: (name, wanted, installed). Those that another system or Python needs, and
    tools for development that are not installed, are left out."""
    from packaging.markers import Marker

    if not LOCK.is_file():
        return
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if not (found := _PINNED.match(line)):
            continue
        name, want, rest = found.groups()
        marker = rest.partition(";")[2].strip().rstrip("\\").strip()
        if marker and not Marker(marker).evaluate():
            continue
        try:
            have = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if have != want:
            yield name, want, have


def _machine(as_of: datetime) -> Iterator[Finding]:
    """What this process may use, as the flows that the worker starts with the same settings see it."""
    found = machine()
    compared, read = (found.database_bytes(share) / GIGABYTE for share in (Share.COMPARISON, Share.READING))
    yield Finding("机器", "ok", (
        f"{found.threads} 个线程，内存 {found.memory_bytes / GIGABYTE:.1f} GB：比对用 {compared:.1f} GB，读文件用 {read:.1f} GB；"
        f"同时接收 {found.files_at_once} 个文件、运行 {found.runs_at_once} 个流程，写表进程 {found.processes} 个"))


def _home(as_of: datetime, *, mend: bool) -> Iterator[Finding]:
    place = database.home()
    found = [entry for top in dict.fromkeys((place, place_of_backups())) if top.exists() for entry in open_to_others(top)
             if not _was_brought(place, entry[0])]
    left = [entry for entry in found if not (mend and close(*entry))]
    if mend and len(left) < len(found):
        yield Finding("目录", "ok", f"已收回 {len(found) - len(left)} 项对其他账户的权限")
    for path, mode in left[:OPEN_SHOWN]:
        yield Finding("目录", "mend", f"{_shown(place, path)}（权限 {mode:o}）：其他账户可以打开", (
            "改由文件所属账户或 root 执行 canbao doctor --mend" if mend else "canbao doctor --mend"))
    if len(left) > OPEN_SHOWN:
        yield Finding("目录", "mend", f"另有 {len(left) - OPEN_SHOWN} 项对其他账户开放", "canbao doctor --mend")
    if not left:
        yield Finding("目录", "ok", f"{place}：其他账户都打不开")


def _was_brought(home: Path, path: Path) -> bool:
    parts = path.relative_to(home).parts if path.is_relative_to(home) else ()
    return len(parts) > 2 and parts[1] in DOORS and path.is_file()


def _shown(home: Path, path: Path) -> str:
    """A place as it may stand on a screen."""
    return shown(*(path.relative_to(home).parts if path.is_relative_to(home) else path.parts[1:])) or str(path)


def _disk(as_of: datetime) -> Iterator[Finding]:
    free = shutil.disk_usage(database.home()).free / 1e9
    state = _graded("disk_free_gb", free, low_is_bad=True)
    yield Finding("磁盘", state, f"剩余 {free:.1f} GB", "" if state == "ok" else "清理磁盘或扩容；原始文件和快照按方案的保存期限删除")


def _proxies(as_of: datetime) -> Iterator[Finding]:
    if ignored := os.environ.get(IGNORED):
        yield Finding("代理", "warn", f"{ignored} 所指的代理类型不受支持，已忽略", "向外发送消息若须经代理，改设 https_proxy=http://…")
    elif named := sorted(name for name, value in os.environ.items() if name.lower() in NAMES and value):
        yield Finding("代理", "ok", f"对外经由 {'、'.join(named)}；本机服务直接连接")


def _record(as_of: datetime) -> Iterator[Finding]:
    have, want = database.revision()
    yield _either("数据库", have == want, f"可以连接，结构版本 {have}", f"结构版本 {have or '无'}，应为 {want}",
                  "先备份（canbao backup），再运行任一命令即自动升级")
    if have == want:
        with database.transaction() as tx:
            whole = campaigns.audit_is_whole(tx)
        yield _either("数据库", whole, "审计链完整", "审计链不完整：有记录被改动或删除", "封存数据库，由管理员和监督部门核查；与备份比对")


def _clock(as_of: datetime) -> Iterator[Finding]:
    off = abs((database.clock() - as_of).total_seconds())
    state = _graded("clock_off_seconds", off)
    yield Finding("时钟", state, f"本机与数据库相差 {off:.0f} 秒", "" if state == "ok" else "启用时间同步（NTP）")


def _calendar(as_of: datetime) -> Iterator[Finding]:
    last = LAST_KNOWN_YEAR
    while last + 1 in imported():
        last += 1
    left = (date(last, 12, 31) - as_of.date()).days
    state = _graded("calendar_days_left", left, low_is_bad=True)
    yield Finding("节假日历", state, f"已知至 {last} 年底" + (f"，还有 {left} 天" if left >= 0 else "，现已过期，只按周末推算"),
                  "" if state == "ok" else "国务院公布下年放假安排后：canbao calendar import 文件（或升级 chinesecalendar）")


# --- what runs ------------------------------------------------------------------------------------------


def _prefect(as_of: datetime) -> Iterator[Finding]:
    api = _api()
    if api is None:
        yield Finding("Prefect", "mend", "没有运行", "canbao up（或 systemctl start canbao）")
        return
    with temporary_settings(as_our_client(api)), get_client(sync_client=True) as client:
        if client.api_healthcheck() is not None:
            yield Finding("Prefect", "mend", f"{api} 没有应答", "canbao up；日志在 CANBAO_HOME/prefect-server.log")
            return
        yield from _server(client, api)
        yield from _workers(client)
        yield from _deployments(client)
        yield from _runs(client, as_of)


def _api() -> str | None:
    """Where the server is: the environment says so, or the installation of this home."""
    if given := os.environ.get("PREFECT_API_URL"):
        return given
    place = database.home() / HEALTH_FILE
    return str(json.loads(place.read_text(encoding="utf-8"))["api"]) if place.is_file() else None


def _server(client: SyncPrefectClient, api: str) -> Iterator[Finding]:
    ours, theirs = importlib.metadata.version("prefect"), client.api_version()
    yield _either("Prefect", ours == theirs, f"{api} 正常，版本 {theirs}", f"服务版本 {theirs}，本机 {ours}", "重启 canbao up")
    yield _either("Prefect", not _opens_to_anybody(api), "没有口令不能进入", "没有口令也能进入", "重启 canbao up；仍如此，看端口上是否是别的程序")


def _opens_to_anybody(api: str) -> bool:
    """Whether the API answers whoever does not know the password."""
    with httpx.Client(trust_env=False) as anybody:
        return anybody.post(f"{api}/flow_runs/count", json={}).status_code != httpx.codes.UNAUTHORIZED


def _workers(client: SyncPrefectClient) -> Iterator[Finding]:
    online = [worker for worker in client.read_workers_for_work_pool(listing()["pool"]) if worker.status == WorkerStatus.ONLINE]
    yield _either("执行进程", bool(online), f"{len(online)} 个在线", "没有在线的执行进程",
                  "canbao up 会自动重启；日志在 CANBAO_HOME/prefect-worker.log")
    if client.read_work_pool(listing()["pool"]).is_paused:
        yield Finding("执行进程", "mend", "工作池已被暂停，什么都不会运行", "在界面 Work Pools 中恢复")


def _deployments(client: SyncPrefectClient) -> Iterator[Finding]:
    found = installation.differences(client)
    yield _either("部署", not found.to_deploy, "与部署清单一致", f"{len(found.to_deploy)} 项与部署清单不一致",
                  "重启 canbao up")
    if found.only_there:
        yield Finding("部署", "warn", f"{len(found.only_there)} 项不在部署清单中：{'、'.join(found.only_there[:3])}",
                      "不再需要的，在界面 Deployments 中删除")
    paused = sum(entry.paused for entry in installation.deployed(client).values())
    if paused:
        yield Finding("部署", "warn", f"{paused} 项已被暂停", "确认是否有意；在界面 Deployments 中恢复")
    ours = [entry for entry in client.read_automations() if entry.name.startswith(automations.PREFIX)]
    off = [entry.name for entry in ours if not entry.enabled]
    yield Finding("自动处置", "warn" if off or not ours else "ok", f"{len(ours)} 项" + (f"，已停用：{'、'.join(off)}" if off else ""),
                  "在界面 Automations 中启用，或重启 canbao up" if off or not ours else "")


def _runs(client: SyncPrefectClient, as_of: datetime) -> Iterator[Finding]:
    waits = as_of - timedelta(minutes=policy()["run_waits_minutes"]["mend"])
    lasts = as_of - timedelta(hours=policy()["run_lasts_hours"]["warn"])
    waiting = _count(client, StateType.SCHEDULED, expected_start_time=FlowRunFilterExpectedStartTime.model_validate({"before_": waits}))
    running = _count(client, StateType.RUNNING, start_time=FlowRunFilterStartTime.model_validate({"before_": lasts}))
    yield _either("运行", not waiting, "没有积压", f"{waiting} 次运行等候过久", "看执行进程是否在线、并发限额是否被占住")
    if running:
        yield Finding("运行", "warn", f"{running} 次运行持续过久", "在界面打开查看；进程已死的会被自动标记为中断")


def _count(client: SyncPrefectClient, state: StateType, **filters: Any) -> int:
    pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[listing()["pool"]]))
    chosen = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[state])), **filters)
    return len(client.read_flow_runs(flow_run_filter=chosen, work_pool_filter=pool, limit=200))


# --- what leaves, and what is due -----------------------------------------------------------------------


def _channels(as_of: datetime) -> Iterator[Finding]:
    """Whether what the plans in force want to send has a way out of the house."""
    with database.transaction() as tx:
        known = campaigns.all_of(tx)
    named = {step.channel for campaign in known for ladder in plan_in_force(campaign).ladders for step in ladder.steps}
    with TemporaryDirectory() as nowhere:
        channels = Channels(Path(nowhere))
        for word in sorted({"message", "alarm", *named}):
            row = CHANNELS[word]
            try:
                reached = channels.of(word)
            except Held as obstacle:
                yield Finding("通道", "mend", f"{row.name}（{word}）的消息无法发出：{obstacle.kind}",
                              f"设置 {row.setting}；可用的通道：{'、'.join(name for name, other in CHANNELS.items() if other.sender)}")
                continue
            if isinstance(reached, Files) and word != "files":
                yield Finding("通道", "warn", f"{row.name}（{word}）的消息只写成文件，不会自动送达", f"设置 {row.setting}")
            else:
                yield Finding("通道", "ok", f"{row.name}（{word}）的地址可以识别")
        channels.close()


def _campaigns(as_of: datetime) -> Iterator[Finding]:
    known = campaigns_in_force()
    if not known:
        yield Finding("方案", "warn", "还没有启动任何方案", "在界面运行 mobilisation，或 canbao mobilise CAMPAIGN")
    for campaign in known:
        plan = plan_in_force(campaign)
        with database.transaction() as tx:
            swept = campaigns.last_sweep(tx, campaign)
        hours = None if swept is None else (as_of - swept).total_seconds() / 3600
        stale = hours is None or hours > plan.sending.stale_sweep_hours
        state: State = "mend" if stale else _graded("sweep_age_hours", hours or 0)
        yield Finding(campaign, state, "从未巡检" if hours is None else f"{hours:.1f} 小时前巡检",
                      "" if state == "ok" else f"canbao sweep {campaign}；再查执行进程")
        due = [" ".join(filter(None, (thing.flow, thing.item, thing.period))) for thing in everything_due(campaign, as_of)]
        if due:
            yield Finding(campaign, "warn", f"{len(due)} 项到期未办：{'、'.join(due[:4])}",
                          "收件箱部署（inbox-watch）会自动补办；失败过的请在界面重试")
        if plan.drill is None and not accounts.are_asked_for(campaign):
            yield Finding(campaign, "warn", "没有登记账号：审批人按填写的岗位名称认定，不能证明是谁",
                          "canbao account add CAMPAIGN --post 岗位 --login 登录名 --codes")
        lost = [row["post"] for row in accounts.listed(campaign) if not row["in_plan"]]
        if lost:
            yield Finding(campaign, "warn", f"{len(lost)} 个账号的岗位已不在方案中：{'、'.join(lost[:4])}", "canbao account remove，再按现有岗位登记")
        made_up = sum(contact.address.endswith(".invalid") for org in plan.organisations for contact in org.contacts)
        if made_up:
            yield Finding(campaign, "warn", f"{made_up} 个联系岗位还是占位地址（.invalid）", "在本地方案中填写真实地址，再运行 mobilisation")


def _backups(as_of: datetime) -> Iterator[Finding]:
    made = latest_backup()
    days = None if made is None else (as_of - made).total_seconds() / 86400
    state: State = "warn" if days is None else _graded("backup_age_days", days)
    yield Finding("备份", state, "没有找到备份" if days is None else f"最近备份在 {days:.1f} 天前",
                  "" if state == "ok" else "canbao backup；用 canbao-backup.timer 每天自动做，并把文件拷到另一台机器")
