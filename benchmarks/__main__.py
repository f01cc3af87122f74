"""``make bench``, or ``python -m benchmarks SUBJECT``: how far we are from the least that could do the work.

Each subject is a module beside this one with a ``main(arguments) -> exit code``; without one, those of ``make bench``
run in turn.
"""

from __future__ import annotations

import sys
from importlib import import_module

SUBJECTS = {
    "intake": "files to typed snapshots, beside pyarrow, calamine and pandas",
    "comparison": "snapshots to lists, beside a bare join",
    "sweep": "forty thousand duties made and swept, beside the bare statements",
    "orchestration": "a comparison as a Prefect flow, beside the same work called directly",
    "command-line": "help and the commands that only read, in processor time, beside the bare interpreter",
    "flow_run": "one flow run with one empty effect, as a rehearsal runs it",
    "accuracy": "links and lists of synthetic places against their truth",
    "febrl": "the residual tier on records that nobody here made (FEBRL 4)",
    "fuzz": "thousands of broken files, each of which must end in a receipt",
}
OF_MAKE_BENCH = ("intake", "comparison", "sweep")


def main(arguments: list[str]) -> int:
    """Runs one subject, or those of ``make bench``; the exit code is the worst of theirs."""
    if not arguments:
        return max(_run(subject, []) for subject in OF_MAKE_BENCH)
    if arguments[0] in SUBJECTS:
        return _run(arguments[0], arguments[1:])
    print("python -m benchmarks [SUBJECT]\n" + "\n".join(f"  {name:<15}{what}" for name, what in SUBJECTS.items()), file=sys.stderr)
    return 0 if arguments[0] in ("-h", "--help") else 2


def _run(subject: str, arguments: list[str]) -> int:
    print(f"{subject}: {SUBJECTS[subject]}\n", file=sys.stderr)
    code: int = import_module(f"benchmarks.{subject.replace('-', '_')}").main(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
