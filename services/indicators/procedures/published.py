"""The published scales that ship with Opora (`data/scales.csv`)."""

import csv
from functools import cache
from importlib.resources import files

from services.indicators.procedures.schemas import PublishedScaleOut, ScaleIn

__all__ = ["published_scales", "scales_of"]


@cache
def published_scales() -> tuple[PublishedScaleOut, ...]:
    """Read all published scales, in the order of the file."""
    text = (files("services.indicators.data") / "scales.csv").read_text("utf-8")
    return tuple(
        PublishedScaleOut.model_validate(
            row
            | {
                "aliases": row["aliases"].split("|"),
                "mark_borders": [int(b) for b in row["mark_borders"].split("|") if b],
            }
        )
        for row in csv.DictReader(text.splitlines())
    )


def scales_of(kind: str, grade: int, year: int) -> list[ScaleIn]:
    """Take the published scales of a procedure; empty when none are known for the year."""
    return [
        ScaleIn.model_validate(
            scale.model_dump(
                include={
                    "subject", "title", "aliases", "minimum", "maximum", "top",
                    "mark_borders", "is_mass", "score_kind",
                }
            )
        )
        for scale in published_scales()
        if (scale.kind, scale.grade) == (kind, grade) and scale.year_from <= year <= scale.year_to
    ]  # fmt: skip
