"""Complete the audit; a note's author is a person."""

import sqlalchemy as sa
from alembic import op

from services.kit.migrations import complete_audit, track

revision = "a2"
down_revision = "a1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    complete_audit()
    op.add_column("note", sa.Column("author", sa.Text))
    track(
        "note",
        kind="note",
        key=("school_id", "title"),
        exclude=("secret",),
        personal=("author",),
    )
