"""Create the registry: territory, schools with their history, participation, curators' grants."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from services.kit.migrations import create_plumbing, secure, secure_grants, track
from services.kit.reach import Depth, Level

revision = 'e89b44e43513'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('region',
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('oktmo_prefix', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_region')),
    sa.UniqueConstraint('code', name=op.f('uq_region_code'))
    )
    op.create_table('applied_run',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('run_id', sa.BigInteger(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('applied_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.ForeignKeyConstraint(['region_id'], ['region.id'], name=op.f('fk_applied_run_region_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_applied_run')),
    sa.UniqueConstraint('region_id', 'run_id', name=op.f('uq_applied_run_region_id_run_id'))
    )
    op.create_table('municipality',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('oktmo', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("kind IN ('district', 'okrug', 'city')", name=op.f('ck_municipality_kind')),
    sa.ForeignKeyConstraint(['region_id'], ['region.id'], name=op.f('fk_municipality_region_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_municipality')),
    sa.UniqueConstraint('region_id', 'code', name=op.f('uq_municipality_region_id_code')),
    sa.UniqueConstraint('region_id', 'id', name=op.f('uq_municipality_region_id_id'))
    )
    op.create_table('programme_year',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('opens_on', sa.Date(), nullable=True),
    sa.Column('closes_on', sa.Date(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint('closes_on >= opens_on', name=op.f('ck_programme_year_window')),
    sa.ForeignKeyConstraint(['region_id'], ['region.id'], name=op.f('fk_programme_year_region_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_programme_year')),
    sa.UniqueConstraint('region_id', 'year', name=op.f('uq_programme_year_region_id_year'))
    )
    op.create_table('school',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('search_key', sa.Text(), sa.Computed("lower(translate(name || ' ' || coalesce(short_name, '') || ' ' || code, 'ёЁ', 'ее'))", persisted=True), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('short_name', sa.Text(), nullable=True),
    sa.Column('inn', sa.Text(), nullable=True),
    sa.Column('ogrn', sa.Text(), nullable=True),
    sa.Column('oktmo', sa.Text(), nullable=True),
    sa.Column('vpr_login', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('stages', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('is_rural', sa.Boolean(), nullable=True),
    sa.Column('is_small', sa.Boolean(), nullable=True),
    sa.Column('latitude', sa.Numeric(precision=9, scale=6), nullable=True),
    sa.Column('longitude', sa.Numeric(precision=9, scale=6), nullable=True),
    sa.Column('opened_on', sa.Date(), nullable=True),
    sa.Column('closed_on', sa.Date(), nullable=True),
    sa.Column('adverse_conditions', sa.Boolean(), nullable=True),
    sa.Column('adverse_reason', sa.Text(), nullable=True),
    sa.Column('adverse_source', sa.Text(), nullable=True),
    sa.Column('valid_from', sa.Date(), nullable=True),
    sa.CheckConstraint("kind IN ('nosh', 'oosh', 'sosh', 'gymnasium', 'lyceum', 'advanced', 'evening', 'correctional', 'boarding', 'cadet', 'other')", name=op.f('ck_school_kind')),
    sa.CheckConstraint("stages <@ ARRAY['noo', 'ooo', 'soo'] AND cardinality(stages) > 0", name=op.f('ck_school_stages')),
    sa.CheckConstraint('(latitude IS NULL) = (longitude IS NULL)', name=op.f('ck_school_coordinates')),
    sa.CheckConstraint('adverse_conditions IS NOT TRUE OR adverse_reason IS NOT NULL', name=op.f('ck_school_adverse_reason')),
    sa.CheckConstraint('closed_on >= opened_on', name=op.f('ck_school_closed_after_opening')),
    sa.ForeignKeyConstraint(['region_id', 'municipality_id'], ['municipality.region_id', 'municipality.id'], name=op.f('fk_school_region_id_municipality_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school')),
    sa.UniqueConstraint('region_id', 'municipality_id', 'id', name=op.f('uq_school_region_id_municipality_id_id'))
    )
    op.create_index('ix_school_municipality_id_code', 'school', ['municipality_id', 'code', 'id'], unique=False)
    op.create_index('ix_school_region_id_code_id', 'school', ['region_id', 'code', 'id'], unique=False)
    op.create_index('uq_school_region_id_code', 'school', ['region_id', 'code'], unique=True, postgresql_where=sa.text('closed_on IS NULL'))
    op.create_index('uq_school_region_id_vpr_login', 'school', ['region_id', 'vpr_login'], unique=True, postgresql_where=sa.text('closed_on IS NULL'))
    op.create_table('curator_grant',
    sa.Column('curator', sa.Text(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('granted_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('granted_by', sa.Text(), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_by', sa.Text(), nullable=True),
    sa.Column('revocation_reason', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint('(revoked_at IS NULL) = (revocation_reason IS NULL)', name=op.f('ck_curator_grant_revocation_reason')),
    sa.CheckConstraint('valid_to > valid_from', name=op.f('ck_curator_grant_valid_order')),
    sa.ForeignKeyConstraint(['region_id', 'municipality_id', 'school_id'], ['school.region_id', 'school.municipality_id', 'school.id'], name=op.f('fk_curator_grant_region_id_municipality_id_school_id'), onupdate='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_curator_grant'))
    )
    op.create_index('ix_curator_grant_curator', 'curator_grant', ['curator'], unique=False)
    op.create_index('ix_curator_grant_municipality_id', 'curator_grant', ['municipality_id'], unique=False)
    op.create_index('ix_curator_grant_region_id', 'curator_grant', ['region_id', 'id'], unique=False)
    op.create_index('ix_curator_grant_school_id', 'curator_grant', ['school_id'], unique=False)
    op.create_table('participation',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('categories', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('run_id', sa.BigInteger(), nullable=True),
    sa.Column('order_number', sa.Text(), nullable=True),
    sa.Column('order_date', sa.Date(), nullable=True),
    sa.Column('joined_on', sa.Date(), nullable=False),
    sa.Column('withdrawn_on', sa.Date(), nullable=True),
    sa.Column('withdrawal_reason', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("source IN ('identification', 'order', 'manual')", name=op.f('ck_participation_source')),
    sa.CheckConstraint('(withdrawn_on IS NULL) = (withdrawal_reason IS NULL)', name=op.f('ck_participation_withdrawal_reason')),
    sa.CheckConstraint('cardinality(categories) > 0', name=op.f('ck_participation_categories')),
    sa.CheckConstraint('withdrawn_on >= joined_on', name=op.f('ck_participation_withdrawn_after_joining')),
    sa.ForeignKeyConstraint(['region_id', 'municipality_id', 'school_id'], ['school.region_id', 'school.municipality_id', 'school.id'], name=op.f('fk_participation_region_id_municipality_id_school_id'), onupdate='CASCADE'),
    sa.ForeignKeyConstraint(['region_id', 'year'], ['programme_year.region_id', 'programme_year.year'], name=op.f('fk_participation_region_id_year')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_participation')),
    sa.UniqueConstraint('school_id', 'year', name=op.f('uq_participation_school_id_year'))
    )
    op.create_index('ix_participation_municipality_id_year', 'participation', ['municipality_id', 'year'], unique=False)
    op.create_index('ix_participation_region_id_year', 'participation', ['region_id', 'year', 'id'], unique=False)
    op.create_table('school_size',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('pupils', sa.Integer(), nullable=False),
    sa.Column('classes', sa.Integer(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint('classes >= 0', name=op.f('ck_school_size_classes')),
    sa.CheckConstraint('pupils >= 0', name=op.f('ck_school_size_pupils')),
    sa.ForeignKeyConstraint(['region_id', 'municipality_id', 'school_id'], ['school.region_id', 'school.municipality_id', 'school.id'], name=op.f('fk_school_size_region_id_municipality_id_school_id'), onupdate='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school_size')),
    sa.UniqueConstraint('school_id', 'year', name=op.f('uq_school_size_school_id_year'))
    )
    op.create_index('ix_school_size_municipality_id', 'school_size', ['municipality_id'], unique=False)
    op.create_index('ix_school_size_region_id_year', 'school_size', ['region_id', 'year'], unique=False)
    op.create_table('school_state',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('was_in_municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('school_version', sa.Integer(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('short_name', sa.Text(), nullable=True),
    sa.Column('inn', sa.Text(), nullable=True),
    sa.Column('ogrn', sa.Text(), nullable=True),
    sa.Column('oktmo', sa.Text(), nullable=True),
    sa.Column('vpr_login', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('stages', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('is_rural', sa.Boolean(), nullable=True),
    sa.Column('is_small', sa.Boolean(), nullable=True),
    sa.Column('latitude', sa.Numeric(precision=9, scale=6), nullable=True),
    sa.Column('longitude', sa.Numeric(precision=9, scale=6), nullable=True),
    sa.Column('opened_on', sa.Date(), nullable=True),
    sa.Column('closed_on', sa.Date(), nullable=True),
    sa.Column('adverse_conditions', sa.Boolean(), nullable=True),
    sa.Column('adverse_reason', sa.Text(), nullable=True),
    sa.Column('adverse_source', sa.Text(), nullable=True),
    sa.Column('valid_from', sa.Date(), nullable=True),
    sa.CheckConstraint('valid_to > valid_from', name=op.f('ck_school_state_valid_order')),
    sa.ForeignKeyConstraint(['region_id', 'municipality_id', 'school_id'], ['school.region_id', 'school.municipality_id', 'school.id'], name=op.f('fk_school_state_region_id_municipality_id_school_id'), onupdate='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school_state'))
    )
    op.create_index('ix_school_state_municipality_id', 'school_state', ['municipality_id'], unique=False)
    op.create_index('ix_school_state_region_id_code', 'school_state', ['region_id', 'code', 'school_id'], unique=False)
    op.create_index('ix_school_state_school_id_valid_from', 'school_state', ['school_id', 'valid_from'], unique=False)
    op.create_index('uq_school_state_school_id_open', 'school_state', ['school_id'], unique=True, postgresql_where=sa.text('valid_to IS NULL AND superseded_at IS NULL'))
    op.create_table('succession',
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('predecessor_id', sa.BigInteger(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('happened_on', sa.Date(), nullable=False),
    sa.Column('order_number', sa.Text(), nullable=True),
    sa.Column('order_date', sa.Date(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("(kind IN ('merge', 'split')) = (predecessor_id IS NOT NULL)", name=op.f('ck_succession_predecessor')),
    sa.CheckConstraint("kind IN ('merge', 'split', 'rename', 'transfer', 'closure')", name=op.f('ck_succession_kind')),
    sa.CheckConstraint('predecessor_id <> school_id', name=op.f('ck_succession_not_itself')),
    sa.ForeignKeyConstraint(['predecessor_id'], ['school.id'], name=op.f('fk_succession_predecessor_id')),
    sa.ForeignKeyConstraint(['region_id', 'municipality_id', 'school_id'], ['school.region_id', 'school.municipality_id', 'school.id'], name=op.f('fk_succession_region_id_municipality_id_school_id'), onupdate='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_succession')),
    sa.UniqueConstraint('school_id', 'predecessor_id', 'kind', 'happened_on', name='uq_succession_event', postgresql_nulls_not_distinct=True)
    )
    op.create_index('ix_succession_municipality_id', 'succession', ['municipality_id'], unique=False)
    op.create_index('ix_succession_predecessor_id', 'succession', ['predecessor_id'], unique=False)
    op.create_index('ix_succession_region_id', 'succession', ['region_id', 'id'], unique=False)
    op.create_table('participation_event',
    sa.Column('participation_id', sa.BigInteger(), nullable=False),
    sa.Column('region_id', sa.BigInteger(), nullable=False),
    sa.Column('municipality_id', sa.BigInteger(), nullable=False),
    sa.Column('school_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('happened_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('categories', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('run_id', sa.BigInteger(), nullable=True),
    sa.Column('order_number', sa.Text(), nullable=True),
    sa.Column('order_date', sa.Date(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("kind IN ('joined', 'rejoined', 'changed', 'withdrawn')", name=op.f('ck_participation_event_kind')),
    sa.ForeignKeyConstraint(['participation_id'], ['participation.id'], name=op.f('fk_participation_event_participation_id')),
    sa.ForeignKeyConstraint(['region_id', 'municipality_id', 'school_id'], ['school.region_id', 'school.municipality_id', 'school.id'], name=op.f('fk_participation_event_region_id_municipality_id_school_id'), onupdate='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_participation_event'))
    )
    op.create_index('ix_participation_event_municipality_id', 'participation_event', ['municipality_id'], unique=False)
    op.create_index('ix_participation_event_participation_id', 'participation_event', ['participation_id', 'id'], unique=False)
    op.create_index('ix_participation_event_region_id', 'participation_event', ['region_id'], unique=False)
    op.create_index('ix_participation_event_school_id', 'participation_event', ['school_id'], unique=False)
    create_plumbing()
    for statement in KEEP_SCHOOL_STATE:
        op.execute(statement)

    secure("region", Depth.REGION_OPEN, region="id", writers=())
    secure("municipality", Depth.MUNICIPALITY, municipality="id")
    secure("school", Depth.SCHOOL, school="id")
    secure("school_state", Depth.SCHOOL, writers=())
    secure("school_size", Depth.SCHOOL)
    secure("succession", Depth.SCHOOL)
    secure("programme_year", Depth.REGION_OPEN)
    secure("participation", Depth.SCHOOL)
    secure("participation_event", Depth.SCHOOL)
    secure("applied_run", Depth.REGION)
    # The grants decide what a curator sees of other tables; of the grants it sees its own.
    secure_grants(writers=(Level.REGION,))

    track("region", kind="region", key=("code",), region="id", municipality=None, school=None)
    track("municipality", kind="municipality", key=("code",), municipality="id", school=None)
    track("school", kind="school", key=("code",), school="id", exclude=("search_key",))
    track("school_size", kind="school_size", key=("school_id", "year"))
    track("succession", kind="succession", key=("school_id", "predecessor_id", "kind", "happened_on"))
    track("programme_year", kind="programme_year", key=("year",), municipality=None, school=None)
    track("participation", kind="participation", key=("school_id", "year"))
    track("curator_grant", kind="curator_grant", key=("curator", "school_id", "valid_from"))


STATE = """code, name, short_name, inn, ogrn, oktmo, vpr_login, kind, stages, is_rural, is_small,
        latitude, longitude, opened_on, closed_on, adverse_conditions, adverse_reason, adverse_source"""


def of(row: str) -> str:
    """Return the columns of a state, taken from a row of the trigger."""
    return ", ".join(f"{row}.{name.strip()}" for name in STATE.split(","))


KEEP_SCHOOL_STATE = (
    # Runs as the owner: nobody else writes history. A state that began later than the row's former
    # one ends the former on that day; a state that began on the same day corrects it. Whatever was
    # said before stays readable as superseded.
    f"""
    CREATE FUNCTION keep_school_state() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF (OLD.municipality_id, OLD.valid_from, {of("OLD")})
               IS NOT DISTINCT FROM (NEW.municipality_id, NEW.valid_from, {of("NEW")}) THEN
                RETURN NULL;
            END IF;
            IF NEW.valid_from IS DISTINCT FROM OLD.valid_from
               AND (NEW.valid_from IS NULL OR NEW.valid_from < OLD.valid_from) THEN
                RAISE 'a state of school % cannot begin before the former one', NEW.id;
            END IF;
            UPDATE school_state SET superseded_at = now()
            WHERE school_id = NEW.id AND valid_to IS NULL AND superseded_at IS NULL;
            IF NEW.valid_from IS DISTINCT FROM OLD.valid_from THEN
                INSERT INTO school_state (region_id, municipality_id, school_id, was_in_municipality_id,
                    school_version, valid_from, valid_to, {STATE})
                VALUES (NEW.region_id, NEW.municipality_id, NEW.id, OLD.municipality_id,
                    OLD.version, OLD.valid_from, NEW.valid_from, {of("OLD")});
            END IF;
        END IF;
        INSERT INTO school_state (region_id, municipality_id, school_id, was_in_municipality_id,
            school_version, valid_from, {STATE})
        VALUES (NEW.region_id, NEW.municipality_id, NEW.id, NEW.municipality_id,
            NEW.version, NEW.valid_from, {of("NEW")});
        RETURN NULL;
    END
    $$
    """,
    "REVOKE EXECUTE ON FUNCTION keep_school_state() FROM PUBLIC",
    "CREATE TRIGGER keep_school_state AFTER INSERT OR UPDATE ON school"
    " FOR EACH ROW EXECUTE FUNCTION keep_school_state()",
)


def downgrade() -> None:
    raise NotImplementedError("This is the first revision: drop the database instead")
