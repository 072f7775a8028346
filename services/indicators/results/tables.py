"""Tables of imports, results, their history and their rollups."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.indicators.base import Base
from services.kit.database import Depth, Identified, Located, Versioned

__all__ = [
    "ClassLabel",
    "ImportChunk",
    "ImportFile",
    "ImportFinding",
    "ImportRejection",
    "Result",
    "ResultHistory",
    "ResultImport",
    "RollupPattern",
    "RollupSource",
    "RollupSubject",
]


class ResultImport(Identified, Versioned, Located, Base):
    """One import: from its draft through the check to the commit."""

    __tablename__ = "result_import"
    __reach__ = Depth.REGION
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'uploaded', 'checking', 'checked', 'committing', 'committed',"
            " 'cancelled', 'failed', 'duplicate')",
            name="state",
        ),
        # The same content twice is one import; two clients at once meet here.
        Index(
            "uq_result_import_content", "region_id", "procedure_id", "content_hash", unique=True,
            postgresql_where=text(
                "state IN ('uploaded', 'checking', 'checked', 'committing', 'committed')"
            ),
        ),
        Index("ix_result_import_procedure_id", "procedure_id"),
    )  # fmt: skip

    region_id: Mapped[int] = mapped_column(BigInteger)
    procedure_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("procedure.id"))
    layout: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    # Subject of a file that does not name it (ВПР as CSV).
    subject: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="draft")
    # SHA-256 over the hashes of all files; 64 hexadecimal digits.
    content_hash: Mapped[str | None] = mapped_column(Text)
    # Of a duplicate: the import that has the same content.
    first_import_id: Mapped[int | None] = mapped_column(BigInteger)
    rows_in: Mapped[int] = mapped_column(BigInteger, server_default="0")
    stored: Mapped[int] = mapped_column(BigInteger, server_default="0")
    rejected: Mapped[int] = mapped_column(BigInteger, server_default="0")
    ignored: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # {"rejected": {rule: rows}, "ignored": {rule: rows}, "superseded": rows, ...}
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    # What the check was made against: schools, scales, stored results.
    reference: Mapped[str | None] = mapped_column(Text)
    # The staging table of the checked rows, when there is one.
    stage: Mapped[str | None] = mapped_column(Text)
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    committed_by: Mapped[str | None] = mapped_column(Text)
    committed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ImportFile(Identified, Located, Base):
    """One uploaded file of an import: its hash, size and what was recognised; never its bytes."""

    __tablename__ = "import_file"
    __reach__ = Depth.REGION
    __table_args__ = (
        UniqueConstraint("import_id", "table_name"),
        CheckConstraint("state IN ('receiving', 'received', 'refused')", name="state"),
    )

    region_id: Mapped[int] = mapped_column(BigInteger)
    import_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("result_import.id", ondelete="CASCADE")
    )
    table_name: Mapped[str] = mapped_column(Text)
    form: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    # Names one attempt at uploading: a later attempt replaces it, and its late chunks are refused.
    attempt: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(Text)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    rows_in: Mapped[int | None] = mapped_column(BigInteger)
    # Encoding, delimiter, sheets, title facts.
    recognised: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    received_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ImportChunk(Located, Base):
    """A batch of sanitised, typed rows (Arrow IPC), kept until the import ends."""

    __tablename__ = "import_chunk"
    __reach__ = Depth.REGION

    file_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("import_file.id", ondelete="CASCADE"), primary_key=True
    )
    # Number of the batch; its rows and its faults share it.
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    # rows or faults.
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class ImportFinding(Identified, Located, Base):
    """What the check found, one row per rule and column."""

    __tablename__ = "import_finding"
    __reach__ = Depth.REGION
    __table_args__ = (Index("ix_import_finding_import_id", "import_id"),)

    region_id: Mapped[int] = mapped_column(BigInteger)
    import_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("result_import.id", ondelete="CASCADE")
    )
    table_name: Mapped[str] = mapped_column(Text)
    rule: Mapped[str] = mapped_column(Text)
    column_name: Mapped[str | None] = mapped_column(Text)
    count: Mapped[int] = mapped_column(BigInteger)
    first_sheet: Mapped[int] = mapped_column(SmallInteger)
    first_row: Mapped[int] = mapped_column(Integer)
    last_sheet: Mapped[int] = mapped_column(SmallInteger)
    last_row: Mapped[int] = mapped_column(Integer)
    sample: Mapped[str | None] = mapped_column(Text)


class ImportRejection(Identified, Located, Base):
    """A marked row: which rule it broke where. Capped per import; the counts are exact."""

    __tablename__ = "import_rejection"
    __reach__ = Depth.REGION
    __table_args__ = (Index("ix_import_rejection_import_id", "import_id", "id"),)

    region_id: Mapped[int] = mapped_column(BigInteger)
    import_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("result_import.id", ondelete="CASCADE")
    )
    table_name: Mapped[str] = mapped_column(Text)
    sheet_no: Mapped[int] = mapped_column(SmallInteger)
    row_no: Mapped[int] = mapped_column(Integer)
    rule: Mapped[str] = mapped_column(Text)
    column_name: Mapped[str | None] = mapped_column(Text)
    sample: Mapped[str | None] = mapped_column(Text)


class ClassLabel(Located, Base):
    """Labels of classes in a procedure («9А»); results carry the number."""

    __tablename__ = "class_label"
    __reach__ = Depth.REGION_OPEN

    procedure_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("procedure.id"), primary_key=True
    )
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    label: Mapped[str] = mapped_column(Text)


class _ResultColumns:
    """A participant's result in one subject. Wide first, narrow last: no padding between columns."""

    procedure_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    import_id: Mapped[int] = mapped_column(BigInteger)
    # The keyed pseudonym; only equality means anything.
    participant: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    row_no: Mapped[int] = mapped_column(Integer)
    source_version: Mapped[int] = mapped_column(Integer)
    # In thousandths of a point; absent and cancelled participants may have none.
    score_milli: Mapped[int | None] = mapped_column(Integer)
    exam_date: Mapped[date | None] = mapped_column(Date)
    variant: Mapped[int | None] = mapped_column(Integer)
    # Position of the subject's scale in the procedure.
    subject: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    # 0 took part, 1 absent, 2 cancelled.
    status: Mapped[int] = mapped_column(SmallInteger)
    sheet_no: Mapped[int] = mapped_column(SmallInteger)
    mark: Mapped[int | None] = mapped_column(SmallInteger)
    class_no: Mapped[int | None] = mapped_column(SmallInteger)
    # The mark of the school's journal for the last term, where the file carries it (ВПР Ф1).
    journal_mark: Mapped[int | None] = mapped_column(SmallInteger)


class Result(_ResultColumns, Located, Base):
    """Results in force; one partition per procedure."""

    __tablename__ = "result"
    __reach__ = Depth.SCHOOL
    __table_args__ = {"postgresql_partition_by": "LIST (procedure_id)"}  # noqa: RUF012  SQLAlchemy reads it once


class ResultHistory(Identified, Located, Base):
    """Results that a later version, or a move to another school, has superseded."""

    __tablename__ = "result_history"
    __reach__ = Depth.SCHOOL
    __table_args__ = (
        Index("ix_result_history_procedure_id_participant", "procedure_id", "participant"),
    )

    procedure_id: Mapped[int] = mapped_column(BigInteger)
    school_id: Mapped[int] = mapped_column(BigInteger)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    import_id: Mapped[int] = mapped_column(BigInteger)
    participant: Mapped[UUID] = mapped_column(Uuid)
    row_no: Mapped[int] = mapped_column(Integer)
    source_version: Mapped[int] = mapped_column(Integer)
    score_milli: Mapped[int | None] = mapped_column(Integer)
    exam_date: Mapped[date | None] = mapped_column(Date)
    variant: Mapped[int | None] = mapped_column(Integer)
    subject: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[int] = mapped_column(SmallInteger)
    sheet_no: Mapped[int] = mapped_column(SmallInteger)
    mark: Mapped[int | None] = mapped_column(SmallInteger)
    class_no: Mapped[int | None] = mapped_column(SmallInteger)
    journal_mark: Mapped[int | None] = mapped_column(SmallInteger)
    # The import whose commit replaced this version.
    superseded_by: Mapped[int] = mapped_column(BigInteger)
    superseded_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )


class RollupSubject(Located, Base):
    """Counts of one school, procedure and subject. `n` are those who took part."""

    __tablename__ = "rollup_subject"
    __reach__ = Depth.SCHOOL
    __table_args__ = (Index("ix_rollup_subject_school_id", "school_id", "year"),)

    procedure_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("procedure.id"), primary_key=True
    )
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    subject: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    year: Mapped[int] = mapped_column(SmallInteger)
    grade: Mapped[int] = mapped_column(SmallInteger)
    n: Mapped[int] = mapped_column(Integer)
    absent: Mapped[int] = mapped_column(Integer)
    cancelled: Mapped[int] = mapped_column(Integer)
    # Below Bmin, below the minimum, from Bmid on, from the bound of high results on.
    low_n: Mapped[int] = mapped_column(Integer)
    failed_n: Mapped[int] = mapped_column(Integer)
    mass_n: Mapped[int] = mapped_column(Integer)
    top_n: Mapped[int] = mapped_column(Integer)
    # Sum of scores and of their squares, in thousandths and millionths.
    sum_milli: Mapped[int] = mapped_column(BigInteger)
    sum_sq: Mapped[int] = mapped_column(BigInteger)
    mark_2: Mapped[int] = mapped_column(Integer)
    mark_3: Mapped[int] = mapped_column(Integer)
    mark_4: Mapped[int] = mapped_column(Integer)
    mark_5: Mapped[int] = mapped_column(Integer)


class RollupPattern(Located, Base):
    """Participants of one school and procedure by which mass subjects they took and were low in.

    Bits are positions of scales with `is_mass`. A participant took part in at least one subject of
    the procedure; taken_mask is 0 when none of them is a mass subject. So the low-results index
    (people, at least one mass subject) of any choice of mass subjects needs no participant rows.
    """

    __tablename__ = "rollup_pattern"
    __reach__ = Depth.SCHOOL
    __table_args__ = (Index("ix_rollup_pattern_school_id", "school_id"),)

    procedure_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("procedure.id"), primary_key=True
    )
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    taken_mask: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    low_mask: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    failed_mask: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    n: Mapped[int] = mapped_column(Integer)


class RollupSource(Located, Base):
    """From which imports, sheets and rows the results in force of a school come."""

    __tablename__ = "rollup_source"
    __reach__ = Depth.SCHOOL
    __table_args__ = (Index("ix_rollup_source_school_id", "school_id"),)

    procedure_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("procedure.id"), primary_key=True
    )
    school_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    import_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sheet_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    region_id: Mapped[int] = mapped_column(BigInteger)
    municipality_id: Mapped[int] = mapped_column(BigInteger)
    first_row: Mapped[int] = mapped_column(Integer)
    last_row: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(Integer)
