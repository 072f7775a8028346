"""Create courses, enrolments and the projection of the registry."""

import sqlalchemy as sa
from alembic import op

from services.kit.migrations import create_plumbing, secure, secure_grants, track
from services.kit.reach import Depth, Level


revision = 'ca2252e41408'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_plumbing()
    op.create_table('course',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('hours', sa.Integer(), nullable=False),
    sa.Column('places', sa.Integer(), nullable=False),
    sa.Column('taken_places', sa.Integer(), server_default='0', nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint('ends_on >= starts_on', name=op.f('ck_course_ends_after_start')),
    sa.CheckConstraint('taken_places BETWEEN 0 AND places', name=op.f('ck_course_taken_places')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_course')),
    sa.UniqueConstraint('region_id', 'year', 'title', 'starts_on', name=op.f('uq_course_region_id_year_title_starts_on'))
    )
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
    op.create_table('enrolment',
    sa.Column('course_id', sa.BigInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('enrolled_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withdrawal_reason', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint('(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)', name=op.f('ck_enrolment_withdrawal')),
    sa.CheckConstraint('people > 0', name=op.f('ck_enrolment_people')),
    sa.ForeignKeyConstraint(['course_id'], ['course.id'], name=op.f('fk_enrolment_course_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enrolment')),
    sa.UniqueConstraint('course_id', 'school_id', name=op.f('uq_enrolment_course_id_school_id'))
    )
    op.create_index('ix_enrolment_municipality_id', 'enrolment', ['municipality_id'], unique=False)
    op.create_index('ix_enrolment_region_id', 'enrolment', ['region_id'], unique=False)
    op.create_index('ix_enrolment_school_id', 'enrolment', ['school_id'], unique=False)

    # The projection: only the follower, which works with the system's reach, writes it.
    secure("region", Depth.REGION_OPEN, region="id", writers=())
    secure("municipality", Depth.MUNICIPALITY, municipality="id", writers=())
    secure("school", Depth.SCHOOL, school="id", writers=())
    secure_grants()

    secure("course", Depth.REGION_OPEN)
    secure("enrolment", Depth.SCHOOL, writers=(Level.REGION, Level.MUNICIPALITY, Level.SCHOOL))
    track(
        "course", kind="course", key=("region_id", "year", "title", "starts_on"),
        municipality=None, school=None,
    )
    track("enrolment", kind="enrolment", key=("course_id", "school_id"))
    # A school sees its own enrolments only, so the database counts for all of them; the check on
    # the course then decides who gets the last place.
    op.execute(
        """
        CREATE FUNCTION count_taken_places() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            before integer := 0;
            after integer := 0;
        BEGIN
            IF TG_OP <> 'INSERT' AND OLD.withdrawn_at IS NULL THEN before := OLD.people; END IF;
            IF TG_OP <> 'DELETE' AND NEW.withdrawn_at IS NULL THEN after := NEW.people; END IF;
            UPDATE course SET taken_places = taken_places + after - before, version = version + 1
            WHERE id = COALESCE(NEW.course_id, OLD.course_id) AND before <> after;
            RETURN NULL;
        END
        $$
        """,
    )
    op.execute("REVOKE EXECUTE ON FUNCTION count_taken_places() FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER count_taken_places AFTER INSERT OR UPDATE OR DELETE ON enrolment"
        " FOR EACH ROW EXECUTE FUNCTION count_taken_places()",
    )
