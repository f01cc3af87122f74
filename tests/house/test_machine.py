"""What a machine lets us use: control groups of both versions, affinity, settings, and that nobody else decides it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from models import machine
from models.errors import WrongUse
from models.machine import GIGABYTE, MEMORY, PROCESSES, THREADS, Machine, Share

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = (THREADS, MEMORY, PROCESSES)
UNLIMITED = "9223372036854771712"
"""What version 1 says where there is no limit."""


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def many_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of sixteen processors and 64 GB, of which 50 are free."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    memory = psutil.virtual_memory()._replace(total=64 * GIGABYTE, available=50 * GIGABYTE)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)


def second_version(root: Path, groups: dict[str, dict[str, str]], own: str, *, mounted: str = "/") -> Path:
    """A file tree with control groups of version 2; ``mounted`` is the group that stands at the mount."""
    return _tree(root, f"0::{own}\n", [f"30 23 0:26 {mounted} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw"],
                 {f"sys/fs/cgroup/{group}": files for group, files in groups.items()})


def first_version(root: Path, groups: dict[str, dict[str, str]], own: str, *, mounted: str = "/") -> Path:
    """The same with a tree for each controller, processors and their accounts in one, and an empty tree of version 2 beside."""
    return _tree(root, f"11:memory:{own}\n4:cpu,cpuacct:{own}\n1:name=systemd:/\n0::/\n",
                 [f"32 31 0:29 {mounted} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
                  f"35 31 0:32 {mounted} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
                  "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"],
                 {f"sys/fs/cgroup/{group}": files for group, files in groups.items()})


def _tree(root: Path, own: str, mounts: list[str], folders: dict[str, dict[str, str]]) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(own)
    (root / "proc/self/mountinfo").write_text("\n".join(["23 1 8:1 / / rw - ext4 /dev/sda1 rw", *mounts]) + "\n")
    for folder, files in folders.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (root / folder / name).write_text(content + "\n")
    return root


def test_a_machine_without_control_groups_is_used_whole(many_processors: None, tmp_path: Path) -> None:
    assert machine.processors(tmp_path) == 16
    assert machine.memory_bytes(tmp_path) == 64 * GIGABYTE
    assert machine.free_bytes(tmp_path) == 50 * GIGABYTE


def test_a_container_of_version_2_is_as_large_as_its_limits(many_processors: None, tmp_path: Path) -> None:
    root = second_version(tmp_path, {".": {"cpu.max": "400000 100000", "memory.max": "8000000000", "memory.current": "3000000000",
                                           "memory.stat": "anon 1000000000\ninactive_file 1500000000"}}, "/")
    assert machine.processors(root) == 4
    assert machine.memory_bytes(root) == 8 * GIGABYTE
    assert machine.free_bytes(root) == 6_500_000_000  # what is held of files is given up when somebody needs it


def test_max_is_no_limit(many_processors: None, tmp_path: Path) -> None:
    root = second_version(tmp_path, {".": {"cpu.max": "max 100000", "memory.max": "max", "memory.high": "max"}}, "/")
    assert machine.processors(root) == 16
    assert machine.memory_bytes(root) == 64 * GIGABYTE


def test_half_a_processor_more_counts_as_one_more_and_less_than_one_as_one(many_processors: None, tmp_path: Path) -> None:
    one_and_a_half = second_version(tmp_path / "a", {".": {"cpu.max": "150000 100000"}}, "/")
    a_fifth = second_version(tmp_path / "b", {".": {"cpu.max": "20000 100000"}}, "/")
    assert (machine.processors(one_and_a_half), machine.processors(a_fifth)) == (2, 1)


def test_a_limit_further_up_binds_as_well(many_processors: None, tmp_path: Path) -> None:
    root = second_version(tmp_path, {
        "canbao.slice": {"cpu.max": "300000 100000", "memory.max": "6000000000", "memory.current": "5000000000"},
        "canbao.slice/canbao.service": {"cpu.max": "max 100000", "memory.max": "12000000000", "memory.current": "1000000000"}},
        "/canbao.slice/canbao.service")
    assert machine.processors(root) == 3
    assert machine.memory_bytes(root) == 6 * GIGABYTE
    assert machine.free_bytes(root) == GIGABYTE


def test_where_memory_is_slowed_down_before_its_limit_that_is_the_limit(many_processors: None, tmp_path: Path) -> None:
    root = second_version(tmp_path, {".": {"memory.high": "5000000000", "memory.max": "8000000000"}}, "/")
    assert machine.memory_bytes(root) == 5 * GIGABYTE


def test_a_group_of_somebody_else_does_not_bind(many_processors: None, tmp_path: Path) -> None:
    root = second_version(tmp_path, {"ours": {"cpu.max": "max 100000"}, "other": {"cpu.max": "100000 100000"}}, "/ours")
    assert machine.processors(root) == 16


def test_version_1_keeps_each_limit_in_a_tree_of_its_own(many_processors: None, tmp_path: Path) -> None:
    root = first_version(tmp_path, {
        "cpu,cpuacct/docker/a": {"cpu.cfs_quota_us": "200000", "cpu.cfs_period_us": "100000"},
        "memory/docker/a": {"memory.limit_in_bytes": "4000000000", "memory.usage_in_bytes": "1000000000",
                            "memory.stat": "inactive_file 5\ntotal_inactive_file 200000000"}}, "/docker/a")
    assert machine.processors(root) == 2
    assert machine.memory_bytes(root) == 4 * GIGABYTE
    assert machine.free_bytes(root) == 3_200_000_000


def test_version_1_without_limits_binds_nothing(many_processors: None, tmp_path: Path) -> None:
    root = first_version(tmp_path, {
        "cpu,cpuacct": {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"},
        "memory": {"memory.limit_in_bytes": UNLIMITED, "memory.usage_in_bytes": "70000000000"}}, "/")
    assert machine.processors(root) == 16
    assert machine.free_bytes(root) == 50 * GIGABYTE


@pytest.mark.parametrize(("own", "mounted"), [("/docker/a", "/docker/a"), ("/host/elsewhere", "/docker/a"), ("/../../x", "/")],
                         ids=["told the host's path", "another path than the mount", "a path above the mount"])
def test_a_container_finds_its_limit_at_the_mount(many_processors: None, tmp_path: Path, own: str, mounted: str) -> None:
    root = first_version(tmp_path, {"memory": {"memory.limit_in_bytes": "2000000000", "memory.usage_in_bytes": "0"}}, own, mounted=mounted)
    assert machine.memory_bytes(root) == 2 * GIGABYTE


def test_only_processors_that_this_process_may_use_count() -> None:
    if not hasattr(os, "sched_setaffinity"):
        allowed = os.cpu_count() or 1
    else:
        allowed = 1
    code = ("import os; getattr(os, 'sched_setaffinity', print)(0, list(getattr(os, 'sched_getaffinity', print)(0))[:1]);"
            "from models.machine import processors; print(processors())")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) == allowed


def test_a_limit_of_the_address_space_is_a_limit_of_memory() -> None:
    code = ("import resource; resource.setrlimit(resource.RLIMIT_AS, (3 * 10**9, resource.RLIM_INFINITY));"
            "from models.machine import memory_bytes; print(memory_bytes())")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 3 * GIGABYTE


# --- settings -------------------------------------------------------------------------------------------


def test_a_setting_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "16")
    monkeypatch.setenv(MEMORY, "62.5")
    monkeypatch.setenv(PROCESSES, "12")
    assert machine.machine() == Machine(threads=16, memory_bytes=62_500_000_000, free_bytes=None, processes=12)


def test_a_setting_left_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    without = machine.machine()
    for name in SETTINGS:
        monkeypatch.setenv(name, " ")
    found = machine.machine()
    assert (found.threads, found.memory_bytes, found.processes) == (without.threads, without.memory_bytes, without.processes)


@pytest.mark.parametrize(("name", "text"), [
    (THREADS, "abc"), (THREADS, "0"), (THREADS, "-2"), (THREADS, "2.5"), (THREADS, "1e3"), (THREADS, "5000"),
    (MEMORY, "8GB"), (MEMORY, "0"), (MEMORY, "0.1"), (MEMORY, "nan"), (MEMORY, "inf"), (MEMORY, "8,5"), (PROCESSES, "all"), (PROCESSES, "0")])
def test_a_wrong_setting_says_what_where_and_what_to_do(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(WrongUse) as fault:
        machine.machine()
    assert name in fault.value.where
    assert repr(text) in fault.value.what
    assert re.search(r"from [\d.]+ to \d+", fault.value.what)
    assert "such as" in fault.value.cure


def test_nothing_is_started_with_a_wrong_setting(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "canbao", "up"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, THREADS: "abc", "CANBAO_HOME": str(tmp_path)})
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert THREADS in done.stderr
    assert "'abc'" in done.stderr
    assert not (tmp_path / "postgres").exists()


# --- shares ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("memory_gb", "share", "limit_gb"), [
    (8, Share.COMPARISON, 4.0), (8, Share.READING, 1.2), (64, Share.COMPARISON, 32.0), (1, Share.COMPARISON, 0.5), (2, Share.READING, 0.3)])
def test_a_database_has_its_share_of_the_memory(memory_gb: int, share: Share, limit_gb: float) -> None:
    assert Machine(8, memory_gb * GIGABYTE, None, 2).database_bytes(share) == limit_gb * GIGABYTE


@pytest.mark.parametrize(("free_gb", "limit_gb"), [(7, 4.0), (5, 4.0), (4, 3.2), (1, 0.8), (0, 0.5)])
def test_a_job_that_comes_second_takes_less_and_never_nothing(free_gb: int, limit_gb: float) -> None:
    found = Machine(2, 8 * GIGABYTE, free_gb * GIGABYTE, 2)
    assert found.database_bytes(Share.COMPARISON) == limit_gb * GIGABYTE


def test_the_databases_leave_a_third_of_the_memory_to_everything_else() -> None:
    assert sum(share.value for share in Share) <= 2 / 3


@pytest.mark.parametrize(("threads", "memory_gb", "used"), [(2, 8, 2), (16, 64, 16), (64, 8, 16), (16, 1, 2), (1, 64, 1), (2, 0.5, 1)])
def test_threads_are_as_many_as_there_are_unless_each_would_starve(threads: int, memory_gb: float, used: int) -> None:
    assert Machine(threads, int(memory_gb * GIGABYTE), None, 1).database_threads(Share.COMPARISON) == used


@pytest.mark.parametrize(("threads", "memory_gb", "files"), [(2, 8, 2), (1, 64, 1), (16, 64, 16), (16, 16, 4), (2, 3, 1)])
def test_as_many_files_are_taken_in_at_once_as_fit_into_the_memory(threads: int, memory_gb: int, files: int) -> None:
    assert Machine(threads, memory_gb * GIGABYTE, None, 1).files_at_once == files


@pytest.mark.parametrize(("threads", "memory_gb", "runs"), [(1, 1, 2), (2, 8, 4), (4, 8, 4), (16, 64, 16), (128, 512, 16)])
def test_a_duty_never_waits_for_a_comparison_and_runs_fit_into_the_memory(threads: int, memory_gb: int, runs: int) -> None:
    assert Machine(threads, memory_gb * GIGABYTE, None, 1).runs_at_once == runs


@pytest.mark.parametrize(("threads", "memory_gb", "processes"), [("1", "64", 1), ("2", "8", 2), ("16", "64", 8), ("16", "3", 3), ("2", "0.5", 1)])
def test_processes_follow_from_processors_and_memory(
    threads: str, memory_gb: str, processes: int, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(THREADS, threads)
    monkeypatch.setenv(MEMORY, memory_gb)
    assert machine.machine().processes == processes


@pytest.mark.parametrize("share", Share)
def test_a_database_is_opened_with_what_was_decided(share: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    monkeypatch.setenv(THREADS, "3")
    monkeypatch.setenv(MEMORY, "10")
    with duckdb.connect(config=machine.database_settings(share)) as database:
        threads, limit = database.execute("SELECT current_setting('threads'), current_setting('memory_limit')").fetchall()[0]
    assert threads == 3
    assert limit == {Share.COMPARISON: "4.6 GiB", Share.READING: "1.3 GiB"}[share]


# --- nobody else decides --------------------------------------------------------------------------------


def _calls() -> Iterator[tuple[str, ast.Call]]:
    rooms = ("canbao", "models", "rules", "comparison", "expectations", "documents", "tasks", "flows", "deployments", "rehearsal", "benchmarks")
    for path in (path for room in rooms for path in (ROOT / room).rglob("*.py") if path.name != "machine.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_nobody_else_counts_processors_or_memory() -> None:
    counting = {"cpu_count", "sched_getaffinity", "process_cpu_count", "virtual_memory"}
    assert [place for place, call in _calls() if ast.unparse(call.func).rpartition(".")[2] in counting] == []


def test_no_database_opens_with_whatever_it_finds() -> None:
    opened = [(place, call) for place, call in _calls() if ast.unparse(call.func) == "duckdb.connect"]
    assert opened
    assert [place for place, call in opened if "config" not in {keyword.arg for keyword in call.keywords}] == []


def test_no_number_of_workers_is_written_by_hand() -> None:
    pools = ("ThreadPoolExecutor", "ProcessPoolExecutor", "ThreadPoolTaskRunner", "ProcessPoolTaskRunner", "DaskTaskRunner")
    made = [(place, call) for place, call in _calls() if ast.unparse(call.func).rpartition(".")[2] in pools]
    assert made
    for place, call in made:
        given = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg in ("max_workers", "n_workers"))]
        assert given, f"{place} takes as many as its library likes"
        assert not isinstance(given[0], ast.Constant), f"{place} works with so many on any machine"
