"""Tables of a run: the run, and its frozen inputs and answers.

Everything below the run carries `is_published`: levels below the region see a row only when it is
true (the policies of the migration say so). Evidence and answers are written by the thousand, only by
the transaction that computes their run and never deleted: a foreign key checked row by row would cost
a tenth of the run and guard against nothing, so these two tables have none.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located, Versioned
from services.kit.reach import Level

__all__ = [
    "IdentificationRun",
    "RunContext",
    "RunEvidence",
    "RunImport",
    "RunIndex",
    "RunProcedure",
    "RunReorganisation",
    "RunSchool",
    "RunSign",
]

STATES = ("computing", "refused", "draft", "prepared", "approved", "published", "voided")
SCHOOL_STATES = ("assessed", "incomplete", "no_data", "not_applicable", "excluded")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class IdentificationRun(Identified, Versioned, Located, Base):
    """One run: a year, a version of a methodology, and how far it got."""

    __tablename__ = "identification_run"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (
        _one_of("state", STATES),
        CheckConstraint("is_published = (state = 'published')", name="published"),
        CheckConstraint(
            "state NOT IN ('draft', 'prepared', 'approved', 'published') OR list_hash IS NOT NULL",
            name="list_hash",
        ),
        # Design 6: approved by a second person, by an order with number and date.
        CheckConstraint("approved_by <> prepared_by", name="second_person"),
        CheckConstraint(
            "state NOT IN ('approved', 'published') OR (approved_by IS NOT NULL"
            " AND prepared_by IS NOT NULL AND order_number IS NOT NULL"
            " AND order_date IS NOT NULL)",
            name="order",
        ),
        CheckConstraint("(state = 'voided') = (void_reason IS NOT NULL)", name="void_reason"),
        Index("ix_identification_run_region_id", "region_id", "id"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(Integer)
    methodology_version_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("methodology_version.id"), index=True
    )
    state: Mapped[str] = mapped_column(Text)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    note: Mapped[str | None] = mapped_column(Text)
    # SHA-256 of everything the answers follow from, and of the list.
    input_hash: Mapped[str | None] = mapped_column(Text)
    list_hash: Mapped[str | None] = mapped_column(Text)
    # How many schools per state, category and class; shown in lists of runs.
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # What a reader of the run should know of its inputs: [{code, detail, ...}], see `notices`.
    notices: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    # Why the run was refused: {code, detail, ...}.
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    computed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    prepared_by: Mapped[str | None] = mapped_column(Text)
    prepared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    approved_by: Mapped[str | None] = mapped_column(Text)
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    order_number: Mapped[str | None] = mapped_column(Text)
    order_date: Mapped[date | None] = mapped_column(Date)
    # Who asked for the publication.
    published_by: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    void_reason: Mapped[str | None] = mapped_column(Text)
    voided_by: Mapped[str | None] = mapped_column(Text)
    voided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class RunProcedure(Located, Base):
    """A procedure as the run saw it, with the scales of its subjects."""

    __tablename__ = "run_procedure"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (Index("ix_run_procedure_region_id", "region_id", "run_id"),)

    run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identification_run.id"), primary_key=True
    )
    procedure_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    kind: Mapped[str] = mapped_column(Text)
    grade: Mapped[int] = mapped_column(Integer)
    year: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Text)
    # Bit i: the subject at position i of the scales is taken in mass numbers.
    mass_mask: Mapped[int] = mapped_column(BigInteger)
    # Which state of the rollups was read.
    rollup_revision: Mapped[int] = mapped_column(BigInteger)
    # [{position, subject, title, minimum, maximum, top, margin_share, bmin, bmid, is_mass}], exact texts.
    scales: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    # {share, rho, weight, schools} of algebra.shrinkage.Prior, exact texts. None: nothing is shrunken,
    # or it could not be estimated.
    prior: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # SHA-256 of what the answers take from the procedure: names it when its row was changed.
    facts_hash: Mapped[str | None] = mapped_column(Text)


class RunImport(Located, Base):
    """An import that the evidence of the run comes from, as it stood: its files' hashes and sizes."""

    __tablename__ = "run_import"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (Index("ix_run_import_region_id", "region_id", "run_id"),)

    run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identification_run.id"), primary_key=True
    )
    import_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    layout: Mapped[str] = mapped_column(Text)
    committed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # One entry per file: table, sha256, size_bytes.
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class RunEvidence(Located, Base):
    """What a run counted for one school, frozen: one row per school, columns as parallel arrays.

    A row per school and procedure would be forty times as many rows to write, to index and to lock
    for every run; the numbers of one school are always read together.
    """

    __tablename__ = "run_evidence"
    __reach__ = Depth.SCHOOL
    __table_args__ = (Index("ix_run_evidence_municipality_id", "municipality_id", "run_id"),)

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    # Per procedure: people who took part; people low in at least one mass subject.
    procedure_id: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    n: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    low: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    # People low by the bound that the methodology did not choose (Bmin or the minimum), so that a
    # what-if may choose it. None in runs of before this was kept.
    low_otherwise: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    # Accepted corrections that lie over counted cells, with what was counted; n, low and
    # low_otherwise above hold the corrected numbers. None: there are none.
    corrections: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    # Per procedure and subject (its position in the scales of the procedure).
    subject_procedure_id: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    subject: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    subject_n: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    subject_absent: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    subject_low: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    subject_failed: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    subject_mass: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    # Per procedure and import: where the rows stand in the imported file.
    source_procedure_id: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    import_id: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    sheet_no: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    first_row: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    last_row: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    source_rows: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    # Names a change of the numbers of subjects and of rows, which the answers do not follow from but
    # the decision sheet prints (`counting.DETAILS_HASH`). None in runs of before it was kept.
    details_hash: Mapped[int | None] = mapped_column(BigInteger)


class RunSchool(Located, Base):
    """The answer of a run for one school, and what it knew of the school beside results."""

    __tablename__ = "run_school"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        _one_of("state", SCHOOL_STATES),
        CheckConstraint("certainty BETWEEN 0 AND 4", name="certainty"),
        CheckConstraint("flags BETWEEN 0 AND 31", name="flags"),
        CheckConstraint(
            "unknown_flags BETWEEN 0 AND 31 AND (flags & unknown_flags) = 0", name="unknown_flags"
        ),
        CheckConstraint("(flags = 0) = (category IS NULL)", name="category"),
        Index("ix_run_school_run_id_code", "run_id", "code", "school_id"),
        Index("ix_run_school_municipality_id", "municipality_id", "run_id"),
    )

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    municipality_name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    stages: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    # None: nobody has said anything, which is not "no".
    adverse_conditions: Mapped[bool | None] = mapped_column(Boolean)
    adverse_reason: Mapped[str | None] = mapped_column(Text)
    adverse_source: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    # Bits of algebra.categories.Flag, and the exclusive category that follows.
    flags: Mapped[int] = mapped_column(SmallInteger)
    category: Mapped[str | None] = mapped_column(Text)
    # Bits of declared flags that the data could not answer: neither there nor not there. The
    # category counts them as not there.
    unknown_flags: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    # algebra.certainty.Certainty of the low results: of the school, and of each rule in order.
    certainty: Mapped[int] = mapped_column(SmallInteger)
    rule_certainties: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    rules_answerable: Mapped[list[bool]] = mapped_column(ARRAY(Boolean))
    # SHA-256 of what the answer for this school follows from, part by part (`hashing.PARTS`): names
    # the school and the part when a row was changed.
    facts_hashes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


class RunIndex(Located, Base):
    """An index of the methodology as the run computed it, with the statistics of its components."""

    __tablename__ = "run_index"
    __reach__ = Depth.REGION_OPEN
    __table_args__ = (Index("ix_run_index_region_id", "region_id", "run_id"),)

    run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identification_run.id"), primary_key=True
    )
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    title: Mapped[str] = mapped_column(Text)
    # The school year of the profiles.
    context_year: Mapped[int] = mapped_column(Integer)
    # Schools that have the index.
    n: Mapped[int] = mapped_column(Integer)
    # The index as the methodology defines it.
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Per component: n, mean, sd, ... as exact texts.
    statistics: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    # By each lowest share that a condition asks for: the value of the school on the border, so that
    # the trace of one school need not read the others.
    borders: Mapped[dict[str, str | None]] = mapped_column(JSONB)


class RunContext(Located, Base):
    """What a run knew of a school's conditions: attributes with state and source, and its indices."""

    __tablename__ = "run_context"
    __reach__ = Depth.SCHOOL
    __table_args__ = (Index("ix_run_context_municipality_id", "municipality_id", "run_id"),)

    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    # Per attribute that the methodology asks for, by code: state (algebra.values.State), value where
    # there is one, source of the figure.
    attribute: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[list[str]] = mapped_column(ARRAY(Text))
    value: Mapped[list[Decimal | None]] = mapped_column(ARRAY(Numeric))
    source: Mapped[list[str | None]] = mapped_column(ARRAY(Text))
    # Years in which signs of biased results were looked for: silence in others is not "none".
    asked_years: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    # Per index, in the order of the methodology: its value, and the weight of missing components.
    index_code: Mapped[list[str]] = mapped_column(ARRAY(Text))
    index_value: Mapped[list[Decimal | None]] = mapped_column(ARRAY(Numeric))
    index_missing_weight: Mapped[list[Decimal | None]] = mapped_column(ARRAY(Numeric))


class RunSign(Located, Base):
    """A sign of biased results that the run took into account.

    Source: design 4: signs are seen by the region; by the municipality for its schools once the run
    is published; not by the schools.
    """

    __tablename__ = "run_sign"
    __reach__ = Depth.SCHOOL
    __closed_to__ = frozenset({Level.SCHOOL, Level.CURATOR})
    __table_args__ = (Index("ix_run_sign_region_id", "region_id", "run_id", "school_id"),)

    run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identification_run.id"), primary_key=True
    )
    sign_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    year: Mapped[int] = mapped_column(Integer)
    detector: Mapped[str] = mapped_column(Text)
    procedure_id: Mapped[int | None] = mapped_column(BigInteger)
    # "kind grade year title" of the procedure: what names it whatever its id.
    procedure: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)


class RunReorganisation(Located, Base):
    """A merger or a split of before the run, at the school that goes on, and what was passed on by it."""

    __tablename__ = "run_reorganisation"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        _one_of("kind", ("merge", "split")),
        _one_of("outcome", ("passed", "split", "still_open", "several_successors")),
        CheckConstraint("outcome = 'passed' OR cardinality(procedure_id) = 0", name="cells"),
        Index("ix_run_reorganisation_school_id", "school_id"),
        Index("ix_run_reorganisation_municipality_id", "municipality_id"),
    )

    run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identification_run.id"), primary_key=True
    )
    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    # The school at the end of the chain of mergers, open on the day of the run.
    school_id: Mapped[int] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default="false")
    predecessor_id: Mapped[int] = mapped_column(BigInteger)
    predecessor_code: Mapped[str | None] = mapped_column(Text)
    predecessor_name: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    happened_on: Mapped[date] = mapped_column(Date)
    order_number: Mapped[str | None] = mapped_column(Text)
    order_date: Mapped[date | None] = mapped_column(Date)
    # reorganisations.Outcome
    outcome: Mapped[str] = mapped_column(Text)
    # The predecessor's own cells that the school's cells have taken in: people, those below Bmin,
    # those below the minimum. Empty where nothing was passed on.
    procedure_id: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    n: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    low: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    failed: Mapped[list[int]] = mapped_column(ARRAY(Integer))
