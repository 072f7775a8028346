"""Bind curators' grants to their region.

Revision ID: 1c5e0a7b9d31
Revises: 9b37d8ddcd80
"""

# ruff: noqa: INP001  Alembic's own layout

from alembic import op

from services.kit.migrations import bind_grants_to_their_region

revision = "1c5e0a7b9d31"
down_revision = "9b37d8ddcd80"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    bind_grants_to_their_region()
    # Nor does a curator read of a grant that another region wrote under his number.
    op.execute(
        """
        ALTER POLICY curator_grant_curator ON curator_grant USING (
            curator = current_setting('opora.subject', true)
            AND region_id = (SELECT NULLIF(current_setting('opora.region_id', true), '')::bigint)
        )
        """
    )


def downgrade() -> None:
    """Refuse: nobody's reach is widened again."""
    raise NotImplementedError
