"""Bind curators' grants to their region.

Revision ID: 2d6f1b8cae42
Revises: e7b4a33fe471
"""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import bind_grants_to_their_region

revision = "2d6f1b8cae42"
down_revision = "e7b4a33fe471"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    bind_grants_to_their_region()


def downgrade() -> None:
    """Refuse: nobody's reach is widened again."""
    raise NotImplementedError
