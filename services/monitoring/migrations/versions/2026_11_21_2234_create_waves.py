"""Create waves, their rosters and the projection of the registry."""

import sqlalchemy as sa
from alembic import op

from services.kit.migrations import create_plumbing, secure, secure_grants, track
from services.kit.reach import Depth


revision = 'b6455caf9fe8'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_plumbing()
    op.create_table('curator_grant',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('curator', sa.Text(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_curator_grant'))
    )
    op.create_index('ix_curator_grant_curator', 'curator_grant', ['curator'], unique=False)
    op.create_table('municipality',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_municipality'))
    )
    op.create_table('region',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_region'))
    )
    op.create_table('school',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('closed_on', sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school'))
    )
    op.create_index('ix_school_municipality_id', 'school', ['municipality_id'], unique=False)
    op.create_index('ix_school_region_id_code', 'school', ['region_id', 'code'], unique=False)
    op.create_table('wave',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('opens_on', sa.Date(), nullable=False),
    sa.Column('closes_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Text(), server_default='planned', nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f('ck_wave_closed_at')),
    sa.CheckConstraint("(state = 'planned') = (opened_at IS NULL)", name=op.f('ck_wave_opened_at')),
    sa.CheckConstraint("kind IN ('entry', 'interim', 'final')", name=op.f('ck_wave_kind')),
    sa.CheckConstraint("state IN ('planned', 'open', 'closed')", name=op.f('ck_wave_state')),
    sa.CheckConstraint('closes_on >= opens_on', name=op.f('ck_wave_closes_after_opening')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wave')),
    sa.UniqueConstraint('region_id', 'year', 'title', name=op.f('uq_wave_region_id_year_title'))
    )
    op.create_table('expected_school',
    sa.Column('wave_id', sa.BigInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_expected_school_wave_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_expected_school')),
    sa.UniqueConstraint('wave_id', 'school_id', name=op.f('uq_expected_school_wave_id_school_id'))
    )
    op.create_index('ix_expected_school_municipality_id', 'expected_school', ['municipality_id'], unique=False)
    op.create_index('ix_expected_school_region_id', 'expected_school', ['region_id'], unique=False)
    op.create_index('ix_expected_school_school_id', 'expected_school', ['school_id'], unique=False)

    # The projection: only the follower, which works with the system's reach, writes it.
    secure("region", Depth.REGION_OPEN, region="id", writers=())
    secure("municipality", Depth.MUNICIPALITY, municipality="id", writers=())
    secure("school", Depth.SCHOOL, school="id", writers=())
    secure_grants()

    secure("wave", Depth.REGION_OPEN)
    secure("expected_school", Depth.SCHOOL)
    track("wave", kind="wave", key=("region_id", "year", "title"), municipality=None, school=None)
    track("expected_school", kind="expected_school", key=("wave_id", "school_id"))
