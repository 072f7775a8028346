"""Create imports of schools: uploads, what was found, rows."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from services.kit.migrations import secure
from services.kit.reach import Depth

revision = '8cef380ed18d'
down_revision = 'e89b44e43513'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('school_import',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('layout', sa.Text(), nullable=False),
    sa.Column('format', sa.Text(), nullable=False),
    sa.Column('encoding', sa.Text(), nullable=True),
    sa.Column('delimiter', sa.Text(), nullable=True),
    sa.Column('sheet', sa.Text(), nullable=True),
    sa.Column('unknown_headings', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('create_municipalities', sa.Boolean(), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=True),
    sa.Column('rows_in', sa.Integer(), nullable=False),
    sa.Column('rows_stored', sa.Integer(), nullable=False),
    sa.Column('rows_rejected', sa.Integer(), nullable=False),
    sa.Column('rows_ignored', sa.Integer(), nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('job_id', sa.BigInteger(), nullable=True),
    sa.Column('committed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("state IN ('checked', 'committing', 'committed')", name=op.f('ck_school_import_state')),
    sa.CheckConstraint('rows_in = rows_stored + rows_rejected + rows_ignored', name=op.f('ck_school_import_rows')),
    sa.ForeignKeyConstraint(['region_id'], ['region.id'], name=op.f('fk_school_import_region_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school_import')),
    sa.UniqueConstraint('region_id', 'sha256', name=op.f('uq_school_import_region_id_sha256'))
    )
    op.create_index('ix_school_import_region_id', 'school_import', ['region_id', 'id'], unique=False)
    op.create_table('school_import_issue',
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('effect', sa.Text(), nullable=False),
    sa.Column('column_title', sa.Text(), nullable=True),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('first_row', sa.Integer(), nullable=False),
    sa.Column('last_row', sa.Integer(), nullable=False),
    sa.Column('value', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['school_import.id'], name=op.f('fk_school_import_issue_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school_import_issue'))
    )
    op.create_index('ix_school_import_issue_import_id', 'school_import_issue', ['import_id'], unique=False)
    op.create_table('school_import_row',
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('row_no', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('cells', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('values', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('municipality_code', sa.Text(), nullable=True),
    sa.Column('municipality_name', sa.Text(), nullable=True),
    sa.Column('size', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('findings', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("outcome IN ('store', 'reject', 'ignore')", name=op.f('ck_school_import_row_outcome')),
    sa.ForeignKeyConstraint(['import_id'], ['school_import.id'], name=op.f('fk_school_import_row_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school_import_row'))
    )
    op.create_index('ix_school_import_row_import_id', 'school_import_row', ['import_id', 'outcome', 'row_no'], unique=False)
    for table in ("school_import", "school_import_issue", "school_import_row"):
        secure(table, Depth.REGION)


def downgrade() -> None:
    op.drop_index('ix_school_import_row_import_id', table_name='school_import_row')
    op.drop_table('school_import_row')
    op.drop_index('ix_school_import_issue_import_id', table_name='school_import_issue')
    op.drop_table('school_import_issue')
    op.drop_index('ix_school_import_region_id', table_name='school_import')
    op.drop_table('school_import')
