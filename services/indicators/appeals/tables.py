"""Tables of appeals: the appeal with its decision, and what its sandboxes have shown.

Signs of biased results are not shown to schools and curators, so an appeal about one is not either:
the migration says so in policies, in the feed and in the audit.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = ["Appeal", "AppealSandbox"]

KINDS = ("result", "attribute", "mark", "sign")
STATES = ("filed", "under_review", "accepted", "rejected", "withdrawn")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Appeal(Identified, Versioned, Located, Base):
    """One appeal about one cell of one school in one published run."""

    __tablename__ = "appeal"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        _one_of("kind", KINDS),
        _one_of("state", STATES),
        # Design 6: a decision has its author, time, reason and protocol. Nobody decides an own appeal.
        CheckConstraint(
            "(state IN ('accepted', 'rejected')) = (decided_by IS NOT NULL)"
            " AND (decided_by IS NULL OR (decided_at IS NOT NULL AND decision_reason IS NOT NULL"
            " AND protocol_number IS NOT NULL AND protocol_date IS NOT NULL))",
            name="decision",
        ),
        CheckConstraint("decided_by <> filed_by", name="second_person"),
        CheckConstraint("(state = 'accepted') = (corrected IS NOT NULL)", name="corrected"),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_by IS NOT NULL)"
            " AND (withdrawn_by IS NULL OR (withdrawn_at IS NOT NULL"
            " AND withdrawal_reason IS NOT NULL))",
            name="withdrawal",
        ),
        # One decision about a cell of a run: not again by another letter, and not twice at once.
        Index(
            "uq_appeal_cell",
            "run_id",
            "school_id",
            "cell",
            unique=True,
            postgresql_where=text("state <> 'withdrawn'"),
        ),
        Index("ix_appeal_region_id", "region_id", "id"),
        Index("ix_appeal_municipality_id", "municipality_id", "id"),
        Index("ix_appeal_school_id", "school_id", "id"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identification_run.id"))
    # The year of the contested list.
    year: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    # What names the cell within school and run: "result:4", "attribute:teachers", "mark", "sign:17".
    cell: Mapped[str] = mapped_column(Text)
    procedure_id: Mapped[int | None] = mapped_column(BigInteger)
    attribute: Mapped[str | None] = mapped_column(Text)
    sign_id: Mapped[int | None] = mapped_column(BigInteger)
    # What the run has in the cell, and what it should have; the shape is that of the kind.
    contested: Mapped[dict[str, Any]] = mapped_column(JSONB)
    claimed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # SHA-256 of the stored counts of a contested result on the day of the appeal.
    counts_hash: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    # [{title, document_number, document_date, import_id, file: {name, size_bytes, sha256}}]
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default="filed")
    filed_by: Mapped[str] = mapped_column(Text)
    # The side that filed it (a role); the same side may withdraw it.
    filed_as: Mapped[str] = mapped_column(Text)
    filed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    # Why the region took it after the term; None: in time.
    late_reason: Mapped[str | None] = mapped_column(Text)
    # Until when it has to be decided.
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    review_started_by: Mapped[str | None] = mapped_column(Text)
    review_started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawn_by: Mapped[str | None] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawal_reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decision_reason: Mapped[str | None] = mapped_column(Text)
    # Names of those who decided, as the protocol gives them.
    commission: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    protocol_number: Mapped[str | None] = mapped_column(Text)
    protocol_date: Mapped[date | None] = mapped_column(Date)
    order_number: Mapped[str | None] = mapped_column(Text)
    # What the cell is by the decision; need not be what was claimed.
    corrected: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class AppealSandbox(Identified, Located, Base):
    """What a corrected cell would have changed in the contested run; only the region sees it.

    It tells of other schools too, where the correction moves a border that is relative to all schools.
    """

    __tablename__ = "appeal_sandbox"
    __reach__ = Depth.REGION
    __table_args__ = (
        Index("ix_appeal_sandbox_appeal_id", "appeal_id", "id"),
        Index("ix_appeal_sandbox_region_id", "region_id"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    appeal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("appeal.id"))
    corrected: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # The outcome as it travels (schemas.SandboxOutcome).
    outcome: Mapped[dict[str, Any]] = mapped_column(JSONB)
    computed_by: Mapped[str] = mapped_column(Text)
    computed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
