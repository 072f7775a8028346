"""Create notes."""

import sqlalchemy as sa
from alembic import op

from services.kit.migrations import create_plumbing, secure, share, track
from services.kit.reach import Depth, Level

revision = "a1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_plumbing()
    op.create_table(
        "curator_grant",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("curator", sa.Text, nullable=False),
        sa.Column("region_id", sa.BigInteger, nullable=False),
        sa.Column("municipality_id", sa.BigInteger, nullable=False),
        sa.Column("school_id", sa.BigInteger, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
    )
    secure(
        "curator_grant",
        Depth.SCHOOL,
        curator="curator = current_setting('opora.subject', true)",
    )
    op.create_table(
        "note",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("region_id", sa.BigInteger, nullable=False),
        sa.Column("municipality_id", sa.BigInteger, nullable=False),
        sa.Column("school_id", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("secret", sa.Text),
        sa.UniqueConstraint("school_id", "title", name="uq_note_school_id_title"),
    )
    secure("note", Depth.SCHOOL, writers=(Level.REGION, Level.SCHOOL))
    track("note", kind="note", key=("school_id", "title"), exclude=("secret",))
    op.create_table("word", sa.Column("text", sa.Text, primary_key=True))
    share("word")
