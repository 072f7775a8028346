"""Bind curators' grants to their region.

Revision ID: 4f8b3daec064
Revises: 5892a98007ce
"""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import bind_grants_to_their_region

revision = "4f8b3daec064"
down_revision = "5892a98007ce"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    bind_grants_to_their_region()


def downgrade() -> None:
    """Refuse: nobody's reach is widened again."""
    raise NotImplementedError
