"""Profiles of schools and signs of biased results, written straight into the database of indicators."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def a_profile(
    session: AsyncSession, school_id: int, values: Mapping[str, Any], *, year: int = 2024
) -> None:
    """Give a school a profile: attribute -> number, or None for "not applicable"."""
    cells = {
        code: {"state": "not_applicable", "source": "Социальный паспорт"}
        if value is None
        else {"state": "value", "value": str(value), "source": "Социальный паспорт"}
        for code, value in values.items()
    }
    await session.execute(
        text(
            """
            INSERT INTO school_profile (region_id, municipality_id, school_id, year, "values", filled,
                                        not_applicable, updated_by)
            SELECT region_id, municipality_id, id, :year, CAST(:cells AS jsonb), :filled, :rest,
                   'user:1'
            FROM school WHERE id = :school
            """
        ),
        {
            "school": school_id, "year": year, "cells": json.dumps(cells, ensure_ascii=False),
            "filled": sum(value is not None for value in values.values()),
            "rest": sum(value is None for value in values.values()),
        },
    )  # fmt: skip


async def a_detection(
    session: AsyncSession,
    *,
    year: int,
    asked: Iterable[int],
    signs: Iterable[tuple[int, str]],
    region_id: int = 1,
) -> None:
    """Give a computed detection that asked these schools and found ``signs``: (school, detector)."""
    found = await session.execute(
        text(
            "INSERT INTO objectivity_detection (region_id, year, state, settings, settings_hash,"
            " input_hash, result_hash, created_by)"
            " VALUES (:region, :year, 'computed', '{}', 's', 'i', 'r', 'user:1') RETURNING id"
        ),
        {"region": region_id, "year": year},
    )
    detection = found.scalar_one()
    for school in asked:
        await session.execute(
            text(
                """
                INSERT INTO objectivity_school (detection_id, school_id, region_id, municipality_id,
                    code, name, municipality_name, asked, limited, too_few, cells)
                SELECT :detection, s.id, s.region_id, s.municipality_id, s.code, s.name, m.name, 1, 0,
                       0, '{}'
                FROM school s JOIN municipality m ON m.id = s.municipality_id WHERE s.id = :school
                """
            ),
            {"detection": detection, "school": school},
        )
    for school, detector in signs:
        await session.execute(
            text(
                """
                INSERT INTO objectivity_sign (region_id, municipality_id, school_id, detection_id, year,
                                              detector, procedure_id, subject, sample, evidence)
                SELECT region_id, municipality_id, id, :detection, :year, :detector,
                       (SELECT min(id) FROM procedure WHERE year = :year), 'mat', 'full', '{}'
                FROM school WHERE id = :school
                """
            ),
            {"detection": detection, "school": school, "year": year, "detector": detector},
        )
