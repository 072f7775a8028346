"""Create procedures, scales, imports, results, rollups and the projection of the registry.

Revision: 13346df23942, after: , 2026-11-21 22:36:18.104473
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from services.kit.migrations import create_plumbing, secure, secure_grants, track
from services.kit.reach import Depth

revision = '13346df23942'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
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
    op.create_index(op.f('ix_curator_grant_curator'), 'curator_grant', ['curator'], unique=False)
    op.create_table('municipality',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_municipality'))
    )
    op.create_table('procedure',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('grade', sa.SmallInteger(), nullable=False),
    sa.Column('year', sa.SmallInteger(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='open', nullable=False),
    sa.Column('permitted_uses', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('scale_revision', sa.Integer(), server_default='1', nullable=False),
    sa.Column('result_revision', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('rollup_revision', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("kind IN ('vpr', 'oge', 'ege', 'gve', 'rdr', 'other')", name=op.f('ck_procedure_kind')),
    sa.CheckConstraint("state IN ('open', 'closed')", name=op.f('ck_procedure_state')),
    sa.CheckConstraint('grade BETWEEN 1 AND 12', name=op.f('ck_procedure_grade')),
    sa.CheckConstraint('year BETWEEN 2000 AND 2100', name=op.f('ck_procedure_year')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_procedure')),
    sa.UniqueConstraint('region_id', 'year', 'kind', 'grade', 'title', name=op.f('uq_procedure_region_id_year_kind_grade_title'))
    )
    op.create_table('region',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_region'))
    )
    op.create_table('result',
    sa.Column('procedure_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('participant', sa.UUID(), nullable=False),
    sa.Column('row_no', sa.Integer(), nullable=False),
    sa.Column('source_version', sa.Integer(), nullable=False),
    sa.Column('score_milli', sa.Integer(), nullable=True),
    sa.Column('exam_date', sa.Date(), nullable=True),
    sa.Column('variant', sa.Integer(), nullable=True),
    sa.Column('subject', sa.SmallInteger(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('sheet_no', sa.SmallInteger(), nullable=False),
    sa.Column('mark', sa.SmallInteger(), nullable=True),
    sa.Column('class_no', sa.SmallInteger(), nullable=True),
    sa.PrimaryKeyConstraint("participant", "subject", "school_id", "procedure_id", name=op.f('pk_result')),
    postgresql_partition_by='LIST (procedure_id)'
    )
    op.create_table('result_history',
    sa.Column('procedure_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('participant', sa.UUID(), nullable=False),
    sa.Column('row_no', sa.Integer(), nullable=False),
    sa.Column('source_version', sa.Integer(), nullable=False),
    sa.Column('score_milli', sa.Integer(), nullable=True),
    sa.Column('exam_date', sa.Date(), nullable=True),
    sa.Column('variant', sa.Integer(), nullable=True),
    sa.Column('subject', sa.SmallInteger(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('sheet_no', sa.SmallInteger(), nullable=False),
    sa.Column('mark', sa.SmallInteger(), nullable=True),
    sa.Column('class_no', sa.SmallInteger(), nullable=True),
    sa.Column('superseded_by', sa.BigInteger(), nullable=False),
    sa.Column('superseded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_result_history'))
    )
    op.create_index('ix_result_history_procedure_id_participant', 'result_history', ['procedure_id', 'participant'], unique=False)
    op.create_table('school',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('vpr_login', sa.Text(), nullable=True),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('short_name', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=True),
    sa.Column('stages', postgresql.ARRAY(sa.Text()), nullable=True),
    sa.Column('is_rural', sa.Boolean(), nullable=True),
    sa.Column('is_small', sa.Boolean(), nullable=True),
    sa.Column('adverse_conditions', sa.Boolean(), nullable=True),
    sa.Column('adverse_reason', sa.Text(), nullable=True),
    sa.Column('adverse_source', sa.Text(), nullable=True),
    sa.Column('opened_on', sa.Date(), nullable=True),
    sa.Column('closed_on', sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school'))
    )
    op.create_index(op.f('ix_school_municipality_id'), 'school', ['municipality_id'], unique=False)
    op.create_index('ix_school_region_id_code', 'school', ['region_id', 'code'], unique=False)
    op.create_table('class_label',
    sa.Column('procedure_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.SmallInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['procedure_id'], ['procedure.id'], name=op.f('fk_class_label_procedure_id')),
    sa.PrimaryKeyConstraint('procedure_id', 'number', name=op.f('pk_class_label'))
    )
    op.create_table('result_import',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('procedure_id', sa.BigInteger(), nullable=False),
    sa.Column('layout', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('subject', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), server_default='draft', nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=True),
    sa.Column('first_import_id', sa.BigInteger(), nullable=True),
    sa.Column('rows_in', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('stored', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('rejected', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('ignored', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('counts', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('reference', sa.Text(), nullable=True),
    sa.Column('stage', sa.Text(), nullable=True),
    sa.Column('problem', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('job_id', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('committed_by', sa.Text(), nullable=True),
    sa.Column('committed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("state IN ('draft', 'uploaded', 'checking', 'checked', 'committing', 'committed', 'cancelled', 'failed', 'duplicate')", name=op.f('ck_result_import_state')),
    sa.ForeignKeyConstraint(['procedure_id'], ['procedure.id'], name=op.f('fk_result_import_procedure_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_result_import'))
    )
    op.create_index('ix_result_import_procedure_id', 'result_import', ['procedure_id'], unique=False)
    op.create_index('uq_result_import_content', 'result_import', ['region_id', 'procedure_id', 'content_hash'], unique=True, postgresql_where=sa.text("state IN ('uploaded', 'checking', 'checked', 'committing', 'committed')"))
    op.create_table('rollup_pattern',
    sa.Column('procedure_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('taken_mask', sa.BigInteger(), nullable=False),
    sa.Column('low_mask', sa.BigInteger(), nullable=False),
    sa.Column('failed_mask', sa.BigInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['procedure_id'], ['procedure.id'], name=op.f('fk_rollup_pattern_procedure_id')),
    sa.PrimaryKeyConstraint('procedure_id', 'school_id', 'taken_mask', 'low_mask', 'failed_mask', name=op.f('pk_rollup_pattern'))
    )
    op.create_index('ix_rollup_pattern_school_id', 'rollup_pattern', ['school_id'], unique=False)
    op.create_table('rollup_source',
    sa.Column('procedure_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('sheet_no', sa.SmallInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('first_row', sa.Integer(), nullable=False),
    sa.Column('last_row', sa.Integer(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['procedure_id'], ['procedure.id'], name=op.f('fk_rollup_source_procedure_id')),
    sa.PrimaryKeyConstraint('procedure_id', 'school_id', 'import_id', 'sheet_no', name=op.f('pk_rollup_source'))
    )
    op.create_index('ix_rollup_source_school_id', 'rollup_source', ['school_id'], unique=False)
    op.create_table('rollup_subject',
    sa.Column('procedure_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.SmallInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('year', sa.SmallInteger(), nullable=False),
    sa.Column('grade', sa.SmallInteger(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('absent', sa.Integer(), nullable=False),
    sa.Column('cancelled', sa.Integer(), nullable=False),
    sa.Column('low_n', sa.Integer(), nullable=False),
    sa.Column('failed_n', sa.Integer(), nullable=False),
    sa.Column('mass_n', sa.Integer(), nullable=False),
    sa.Column('top_n', sa.Integer(), nullable=False),
    sa.Column('sum_milli', sa.BigInteger(), nullable=False),
    sa.Column('sum_sq', sa.BigInteger(), nullable=False),
    sa.Column('mark_2', sa.Integer(), nullable=False),
    sa.Column('mark_3', sa.Integer(), nullable=False),
    sa.Column('mark_4', sa.Integer(), nullable=False),
    sa.Column('mark_5', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['procedure_id'], ['procedure.id'], name=op.f('fk_rollup_subject_procedure_id')),
    sa.PrimaryKeyConstraint('procedure_id', 'school_id', 'subject', name=op.f('pk_rollup_subject'))
    )
    op.create_index('ix_rollup_subject_school_id', 'rollup_subject', ['school_id', 'year'], unique=False)
    op.create_table('scale',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('procedure_id', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('aliases', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.Column('minimum', sa.Numeric(precision=8, scale=3), nullable=False),
    sa.Column('maximum', sa.Numeric(precision=8, scale=3), nullable=False),
    sa.Column('top', sa.Numeric(precision=8, scale=3), nullable=False),
    sa.Column('mark_borders', postgresql.ARRAY(sa.Integer()), nullable=False),
    sa.Column('is_mass', sa.Boolean(), nullable=False),
    sa.Column('score_kind', sa.Text(), nullable=False),
    sa.Column('margin_share', sa.Numeric(precision=6, scale=5), nullable=False),
    sa.Column('low_below_milli', sa.Integer(), nullable=False),
    sa.Column('mass_from_milli', sa.Integer(), nullable=False),
    sa.Column('minimum_milli', sa.Integer(), nullable=False),
    sa.Column('top_milli', sa.Integer(), nullable=False),
    sa.Column('maximum_milli', sa.Integer(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("score_kind IN ('primary', 'test100', 'mark')", name=op.f('ck_scale_score_kind')),
    sa.CheckConstraint('margin_share >= 0 AND margin_share < 1', name=op.f('ck_scale_margin_share')),
    sa.CheckConstraint('minimum >= 0 AND minimum <= maximum AND top BETWEEN minimum AND maximum', name=op.f('ck_scale_bounds')),
    sa.CheckConstraint('position BETWEEN 0 AND 62', name=op.f('ck_scale_position')),
    sa.ForeignKeyConstraint(['procedure_id'], ['procedure.id'], name=op.f('fk_scale_procedure_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scale')),
    sa.UniqueConstraint('procedure_id', 'position', name=op.f('uq_scale_procedure_id_position')),
    sa.UniqueConstraint('procedure_id', 'subject', name=op.f('uq_scale_procedure_id_subject'))
    )
    op.create_table('import_file',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('table_name', sa.Text(), nullable=False),
    sa.Column('form', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempt', sa.Text(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('size_bytes', sa.BigInteger(), nullable=True),
    sa.Column('rows_in', sa.BigInteger(), nullable=True),
    sa.Column('recognised', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("state IN ('receiving', 'received', 'refused')", name=op.f('ck_import_file_state')),
    sa.ForeignKeyConstraint(['import_id'], ['result_import.id'], name=op.f('fk_import_file_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_file')),
    sa.UniqueConstraint('import_id', 'table_name', name=op.f('uq_import_file_import_id_table_name'))
    )
    op.create_table('import_finding',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('table_name', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('column_name', sa.Text(), nullable=True),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('first_sheet', sa.SmallInteger(), nullable=False),
    sa.Column('first_row', sa.Integer(), nullable=False),
    sa.Column('last_sheet', sa.SmallInteger(), nullable=False),
    sa.Column('last_row', sa.Integer(), nullable=False),
    sa.Column('sample', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['result_import.id'], name=op.f('fk_import_finding_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_finding'))
    )
    op.create_index('ix_import_finding_import_id', 'import_finding', ['import_id'], unique=False)
    op.create_table('import_rejection',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('table_name', sa.Text(), nullable=False),
    sa.Column('sheet_no', sa.SmallInteger(), nullable=False),
    sa.Column('row_no', sa.Integer(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('column_name', sa.Text(), nullable=True),
    sa.Column('sample', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['result_import.id'], name=op.f('fk_import_rejection_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_rejection'))
    )
    op.create_index('ix_import_rejection_import_id', 'import_rejection', ['import_id', 'id'], unique=False)
    op.create_table('import_chunk',
    sa.Column('file_id', sa.BigInteger(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['import_file.id'], name=op.f('fk_import_chunk_file_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('file_id', 'seq', 'kind', name=op.f('pk_import_chunk'))
    )
    # Arrow batches are compressed already.
    op.execute("ALTER TABLE import_chunk ALTER COLUMN payload SET STORAGE EXTERNAL")
    secure("region", Depth.REGION_OPEN, region="id", writers=())
    secure("municipality", Depth.MUNICIPALITY, municipality="id", writers=())
    secure("school", Depth.SCHOOL, school="id", writers=())
    secure_grants()
    secure("procedure", Depth.REGION_OPEN)
    secure("scale", Depth.REGION_OPEN)
    secure("class_label", Depth.REGION_OPEN, writers=())
    for table in ("result_import", "import_file", "import_chunk"):
        secure(table, Depth.REGION)
    for table in ("import_finding", "import_rejection"):
        secure(table, Depth.REGION, writers=())
    for table in ("result", "result_history", "rollup_subject", "rollup_pattern", "rollup_source"):
        secure(table, Depth.SCHOOL, writers=())
    no_place = {"municipality": None, "school": None}
    track("procedure", kind="procedure", key=("year", "kind", "grade", "title"), **no_place)
    track("scale", kind="scale", key=("procedure_id", "subject"), **no_place)
    track("result_import", kind="import", key=("id",), is_open=False, **no_place)
    for function in _STAGING:
        op.execute(function)


def downgrade() -> None:
    """Take back: the first revision is taken back by dropping the database."""
    raise NotImplementedError


# Partitions belong to the owner, and the application may not create tables: these functions are the
# only tables it gets, named and shaped here. Their arguments are numbers, so nothing can be injected.
_STAGING = (
    """
    CREATE FUNCTION create_result_stage(p_procedure bigint, p_region bigint, p_import bigint)
    RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        stage text := format('result_p%s_i%s', p_procedure, p_import);
    BEGIN
        PERFORM drop_result_stage(p_procedure, p_import);
        EXECUTE format('CREATE TABLE %I (LIKE result)', stage);
        -- Constants of the import and the usual values need not travel with each row.
        EXECUTE format(
            'ALTER TABLE %I ALTER procedure_id SET DEFAULT %s, ALTER region_id SET DEFAULT %s,'
            ' ALTER import_id SET DEFAULT %s, ALTER source_version SET DEFAULT 1,'
            ' ALTER status SET DEFAULT 0, ALTER sheet_no SET DEFAULT 1,'
            ' ADD CONSTRAINT ck_stage_procedure CHECK (procedure_id = %s)',
            stage, p_procedure, p_region, p_import, p_procedure);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO opora_system', stage);
        RETURN stage;
    END
    $$
    """,
    """
    CREATE FUNCTION drop_result_stage(p_procedure bigint, p_import bigint)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        stage text := format('result_p%s_i%s', p_procedure, p_import);
    BEGIN
        -- A partition holds results in force: never dropped here.
        IF EXISTS (SELECT FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
                   WHERE c.relname = stage AND c.relnamespace = 'public'::regnamespace) THEN
            RAISE EXCEPTION 'result stage % is in force', stage;
        END IF;
        EXECUTE format('DROP TABLE IF EXISTS %I', stage);
    END
    $$
    """,
    """
    CREATE FUNCTION attach_result_stage(p_procedure bigint, p_import bigint)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        stage text := format('result_p%s_i%s', p_procedure, p_import);
    BEGIN
        -- The pseudonym leads: a constant first column would rob the sort of its abbreviated keys.
        EXECUTE format(
            'ALTER TABLE %I ADD CONSTRAINT %I PRIMARY KEY'
            ' (participant, subject, school_id, procedure_id)', stage, 'pk_' || stage);
        -- The rollups follow in the same transaction: without statistics they are planned as for ten rows.
        -- A small sample is enough for that, and takes milliseconds.
        SET LOCAL default_statistics_target = 10;
        EXECUTE format('ANALYZE %I', stage);
        EXECUTE format('REVOKE ALL ON %I FROM opora_system', stage);
        EXECUTE format('ALTER TABLE result ATTACH PARTITION %I FOR VALUES IN (%s)', stage, p_procedure);
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT ck_stage_procedure', stage);
        -- Whoever names the partition itself meets row security without a policy: no rows.
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', stage);
    END
    $$
    """,
    *(
        f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC"
        for function in (
            "create_result_stage(bigint, bigint, bigint)",
            "drop_result_stage(bigint, bigint)",
            "attach_result_stage(bigint, bigint)",
        )
    ),
    *(
        f"GRANT EXECUTE ON FUNCTION {function} TO opora_system"
        for function in (
            "create_result_stage(bigint, bigint, bigint)",
            "drop_result_stage(bigint, bigint)",
            "attach_result_stage(bigint, bigint)",
        )
    ),
)
