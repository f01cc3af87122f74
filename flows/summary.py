"""What a run leaves in the Prefect UI: one markdown artifact with counts only."""

from __future__ import annotations

from collections.abc import Mapping

from prefect.artifacts import create_markdown_artifact

from models.errors import CanbaoError

ALLOWED = (int, float, bool, str, type(None))


def _lines(result: Mapping[str, object], depth: int = 0) -> list[str]:
    lines = []
    for key, value in result.items():
        indent = "  " * depth
        if isinstance(value, Mapping):
            lines.append(f"{indent}- **{key}**")
            lines.extend(_lines({str(name): entry for name, entry in value.items()}, depth + 1))
        elif isinstance(value, list | tuple):
            lines.append(f"{indent}- **{key}**: {', '.join(map(str, value)) or '–'}")
        elif isinstance(value, ALLOWED):
            lines.append(f"{indent}- **{key}**: {value if value is not None else '–'}")
        else:
            raise CanbaoError(f"a run's summary holds a {type(value).__name__} under {key!r}.",
                              cure="Summaries hold ids, periods and counts only.")
    return lines


def publish(kind: str, campaign: str, period: str, result: Mapping[str, object]) -> None:
    """Leaves the result of a run as an artifact. Its key is stable, so the UI shows its history per campaign."""
    key = "-".join(part for part in (campaign, kind, period) if part).lower().replace("_", "-")
    create_markdown_artifact(markdown="\n".join(_lines(result)), key=key, description=f"{campaign} {period} {kind}")
