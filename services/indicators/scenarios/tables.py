"""Tables of scenarios: the scenario with its document and effect, and its answer for every school.

Only the region sees them. Nothing of a scenario changes after it is computed but that it is voided.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = ["CHANGES", "Scenario", "ScenarioSchool"]

CHANGES = ("none", "entered", "left", "changed")


class Scenario(Identified, Versioned, Located, Base):
    """A what-if of a run: the changed document, who asked, and what the change does."""

    __tablename__ = "scenario"
    __reach__ = Depth.REGION
    __table_args__ = (
        CheckConstraint("(voided_at IS NULL) = (void_reason IS NULL)", name="void_reason"),
        Index("ix_scenario_region_id", "region_id", "run_id", "id"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identification_run.id"), index=True)
    title: Mapped[str] = mapped_column(Text)
    # The document as it was computed, whole and canonical, and its SHA-256.
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    document_hash: Mapped[str] = mapped_column(Text)
    # What differs from the run's methodology: [{setting, before, after, text}].
    settings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    # The effect as it travels (schemas.EffectOut).
    effect: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # SHA-256 of the answers for all schools: the same inputs and document give the same.
    answers_hash: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    voided_by: Mapped[str | None] = mapped_column(Text)
    voided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    void_reason: Mapped[str | None] = mapped_column(Text)


class ScenarioSchool(Located, Base):
    """The answer of a scenario for one school, beside what the run had answered.

    Written by the thousand by the transaction that makes the scenario; no foreign key is checked row by
    row, as with the schools of a run.
    """

    __tablename__ = "scenario_school"
    __reach__ = Depth.REGION
    __table_args__ = (
        CheckConstraint(
            "change IN ({})".format(", ".join(f"'{change}'" for change in CHANGES)), name="change"
        ),
        CheckConstraint("certainty BETWEEN 0 AND 4", name="certainty"),
        CheckConstraint("(flags = 0) = (category IS NULL)", name="category"),
        Index("ix_scenario_school_scenario_id_code", "scenario_id", "code", "school_id"),
        Index("ix_scenario_school_region_id", "region_id", "scenario_id"),
    )

    scenario_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    flags: Mapped[int] = mapped_column(SmallInteger)
    unknown_flags: Mapped[int] = mapped_column(SmallInteger)
    category: Mapped[str | None] = mapped_column(Text)
    certainty: Mapped[int] = mapped_column(SmallInteger)
    # Against the run: none, entered, left, changed.
    change: Mapped[str] = mapped_column(Text)
    # Places (from 1) in `settings` of the scenario: the settings of which each suffices, or, where
    # none does, those that do together. Empty: nothing changed.
    causes: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    is_combination: Mapped[bool] = mapped_column(Boolean)
    # One low result fewer takes the flag away; one more brings it.
    is_lost_by_one: Mapped[bool] = mapped_column(Boolean)
    is_gained_by_one: Mapped[bool] = mapped_column(Boolean)
    # People who took part in the newest procedures that the rules look at; None: nobody is counted.
    participants: Mapped[int | None] = mapped_column(Integer)
