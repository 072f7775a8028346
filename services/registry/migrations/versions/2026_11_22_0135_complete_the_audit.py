"""Complete the audit: readings, the chain of hashes, and who imported schools.

Revision ID: 9b37d8ddcd80
Revises: 8cef380ed18d
"""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import complete_audit, track

revision = "9b37d8ddcd80"
down_revision = "8cef380ed18d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    complete_audit()
    # Its rows and findings belong to the file and change with it only.
    track(
        "school_import",
        kind="school_import",
        key=("id",),
        municipality=None,
        school=None,
        is_fed=False,
    )


def downgrade() -> None:
    """Refuse: an audit is not thrown away."""
    raise NotImplementedError
