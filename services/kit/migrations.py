"""Alembic configured in code, and the few calls that every service's migrations are made of."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command, context, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine

from services.kit import audit_schema, reach
from services.kit.reach import Depth, Level

if TYPE_CHECKING:
    from services.kit.service import Service

__all__ = [
    "autogenerate",
    "bind_grants_to_their_region",
    "complete_audit",
    "create_plumbing",
    "earlier",
    "head",
    "is_compared",
    "keep_idempotency_keys",
    "let_idempotency_keys_expire",
    "run_env",
    "secure",
    "secure_grants",
    "share",
    "track",
    "upgrade",
]

# A migration beside the running release waits for no lock longer than this.
LOCK_TIMEOUT = "5s"
ADVISORY_LOCK = 0x6F706F7261  # "opora"

# Tables of the kit and partitions are made by statements of their own; Alembic compares the rest.
PLUMBING = {
    "alembic_version",
    "audit_entry",
    "audit_link",
    "audit_pending",
    "change",
    "feed_cursor",
    "idempotency_key",
    "job",
    "read_entry",
}


def _config(service: "Service") -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder(service)))
    config.set_main_option(
        "file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s"
    )
    config.set_main_option("path_separator", "os")
    return config


def _folder(service: "Service") -> Path:
    module = importlib.import_module(service.base.__module__)
    return Path(str(module.__file__)).parent / "migrations"


def head(service: "Service") -> str | None:
    """Return the newest revision the code knows."""
    return ScriptDirectory.from_config(_config(service)).get_current_head()


def earlier(service: "Service") -> frozenset[str]:
    """Return the revisions before the newest: with one of these the database is behind the code."""
    script = ScriptDirectory.from_config(_config(service))
    return frozenset(one.revision for one in script.walk_revisions()) - set(script.get_heads())


async def upgrade(service: "Service", owner_url: str) -> None:
    """Bring the service's database to the newest revision; several may call it at once."""
    await _run(service, owner_url, lambda config: command.upgrade(config, "head"))


async def autogenerate(service: "Service", message: str, owner_url: str) -> None:
    """Write a new revision file from the difference between the code and the database."""
    await _run(
        service, owner_url, lambda config: command.revision(config, message, autogenerate=True)
    )


async def _run(service: "Service", owner_url: str, act: Any) -> None:
    config = _config(service)
    engine = create_async_engine(owner_url)

    def run(connection: Connection) -> None:
        config.attributes["connection"] = connection
        act(config)

    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


def run_env(metadata: MetaData) -> None:
    """Run the migrations; the whole of a service's env.py."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=is_compared,
        compare_server_default=False,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        # Two migrators at once: the second waits, then finds nothing to do.
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        context.run_migrations()


def is_compared(name: str | None, kind: str, _: object) -> bool:
    """Tell Alembic which tables the mapped classes describe: not the kit's, not those made at run time."""
    return kind != "table" or not (
        name in PLUMBING or (name or "").startswith(("result_p", "stage_"))
    )


def secure(
    table: str,
    depth: Depth,
    *,
    region: str = "region_id",
    municipality: str = "municipality_id",
    school: str = "school_id",
    writers: Sequence[Level] = (Level.REGION,),
    open_when: str | None = None,
    curator: str | None = None,
    closed_to: Sequence[Level] = (),
) -> None:
    """Force row level security on a located table (kit/reach.py says what each level sees)."""
    for statement in reach.policies(
        table,
        depth,
        region=region,
        municipality=municipality,
        school=school,
        writers=writers,
        open_when=open_when,
        curator=curator,
        closed_to=closed_to,
    ):
        op.execute(statement)


def secure_grants(table: str = "curator_grant", *, writers: Sequence[Level] = ()) -> None:
    """Lock the table of curators' grants itself: a curator sees its own grants.

    By grants it could not be: the policy would read the table that it guards, for ever.
    """
    secure(
        table,
        Depth.SCHOOL,
        writers=writers,
        curator="curator = current_setting('opora.subject', true)",
    )


def share(table: str, *, writers: Sequence[Level] = ()) -> None:
    """Let everybody read a shared table, and the system and `writers` write it."""
    for statement in reach.shared_grants(table, writers=writers):
        op.execute(statement)


def track(
    table: str,
    *,
    kind: str,
    key: Sequence[str],
    entity: str = "id",
    region: str = "region_id",
    municipality: str | None = "municipality_id",
    school: str | None = "school_id",
    exclude: Sequence[str] = (),
    personal: Sequence[str] = (),
    is_open: bool = True,
    is_fed: bool = True,
) -> None:
    """Write every change of the table to the change feed and the audit, by trigger.

    A table that is tracked already is tracked in the new way from here on.

    Args:
        table: The table to watch.
        kind: The name of its records in the feed.
        key: Columns of the natural key; tombstones carry them.
        entity: Column of the record's id.
        region: Column that locates the row; likewise `municipality` and `school` (None: not so precise).
        municipality: See `region`.
        school: See `region`.
        exclude: Columns that never leave the table; that one of them changed alone leaves no trace.
        personal: Columns about a natural person: feed and audit tell that they changed, not their
            values, because both are kept and a person may ask to be forgotten.
        is_open: Whether levels below the region read changes that are not precisely located.
        is_fed: False: only the audit, for a table that no other system follows.
    """
    arguments = [
        kind,
        ",".join(key),
        entity,
        region,
        municipality or "",
        school or "",
        ",".join(exclude),
        "t" if is_open else "f",
    ]
    if personal or not is_fed:
        arguments += [",".join(personal), "t" if is_fed else "f"]
    listed = ", ".join(f"'{argument}'" for argument in arguments)
    op.execute(
        f"CREATE OR REPLACE TRIGGER track_{table} AFTER INSERT OR UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION opora_track({listed})",
    )


def create_plumbing(*, grants: str | None = "curator_grant") -> None:
    """Create the tables that the kit keeps in every service's database.

    Args:
        grants: The service's table of curators' grants; None where no row is a curator's business.
    """
    for statement in (*_PLUMBING, *reach.grant_functions(grants)):
        op.execute(statement)
    op.execute("GRANT SELECT ON alembic_version TO PUBLIC")
    secure("job", Depth.REGION)
    _lock("change", reach.feed_views())
    _lock("audit_entry", reach.audit_views())
    own = "subject = current_setting('opora.subject', true)"
    _lock("idempotency_key", dict.fromkeys(Level, own), verbs="SELECT, INSERT, UPDATE")
    share("feed_cursor")


def bind_grants_to_their_region() -> None:
    """Let a curator's grants reach schools of the curator's own region only."""
    for statement in reach.grant_functions("curator_grant"):
        op.execute(statement)


def complete_audit() -> None:
    """Complete the audit of a database that `create_plumbing` began: readings and the chain of hashes.

    Old entries become the chain's beginning. Everything of the running release works on beside it.
    """
    for statement in audit_schema.STATEMENTS:
        op.execute(statement)
    _lock("read_entry", reach.audit_views())
    _lock("audit_pending", {Level.SYSTEM: "true"})
    # A link holds no content: whoever may read entries may also follow the chain.
    _lock("audit_link", {Level.SYSTEM: "true", Level.REGION: "true"})


def let_idempotency_keys_expire() -> None:
    """Let the system's reach, which the worker has, see and delete keys older than a day, and no others."""
    over = "created_at < now() - interval '24 hours'"
    op.execute("CREATE INDEX ix_idempotency_key_created_at ON idempotency_key (created_at)")
    op.execute("GRANT DELETE ON idempotency_key TO opora_system")
    for verb in ("SELECT", "DELETE"):
        op.execute(
            f"CREATE POLICY idempotency_key_expired_{verb.lower()} ON idempotency_key"
            f" FOR {verb} TO opora_system USING ({over})"
        )


def keep_idempotency_keys() -> None:
    """Undo `let_idempotency_keys_expire`."""
    for verb in ("select", "delete"):
        op.execute(f"DROP POLICY idempotency_key_expired_{verb} ON idempotency_key")
    op.execute("REVOKE DELETE ON idempotency_key FROM opora_system")
    op.execute("DROP INDEX ix_idempotency_key_created_at")


def _lock(table: str, views: dict[Level, str], verbs: str = "SELECT") -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY {table}_owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)"
    )
    writes = verbs != "SELECT"
    for level in Level:
        op.execute(f"GRANT {verbs} ON {table} TO opora_{level}")
        if level in views:
            op.execute(
                f"CREATE POLICY {table}_{level} ON {table} FOR {'ALL' if writes else 'SELECT'} TO opora_{level}"
                f" USING ({views[level]})" + (f" WITH CHECK ({views[level]})" if writes else ""),
            )


_PLUMBING = (
    """
    CREATE TABLE change (
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        seq bigint GENERATED ALWAYS AS IDENTITY,
        kind text NOT NULL,
        op text NOT NULL CONSTRAINT ck_change_op CHECK (op IN ('upsert', 'delete')),
        entity_id bigint NOT NULL,
        key jsonb NOT NULL,
        version integer,
        body jsonb,
        region_id bigint,
        municipality_id bigint,
        school_id bigint,
        is_open boolean NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_change PRIMARY KEY (xid, seq)
    )
    """,
    """
    CREATE TABLE audit_entry (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_audit_entry PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        subject text NOT NULL,
        request_id text NOT NULL,
        kind text NOT NULL,
        entity_id bigint NOT NULL,
        op text NOT NULL,
        before jsonb,
        after jsonb,
        region_id bigint
    )
    """,
    "CREATE INDEX ix_audit_entry_kind_entity_id ON audit_entry (kind, entity_id)",
    """
    CREATE TABLE job (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_job PRIMARY KEY,
        kind text NOT NULL,
        region_id bigint NOT NULL,
        state text NOT NULL DEFAULT 'queued'
            CONSTRAINT ck_job_state CHECK (state IN ('queued', 'running', 'done', 'failed')),
        params jsonb NOT NULL,
        dedupe_key text,
        progress_done bigint NOT NULL DEFAULT 0,
        progress_total bigint NOT NULL DEFAULT 0,
        progress_note text NOT NULL DEFAULT '',
        result jsonb,
        error jsonb,
        attempt integer NOT NULL DEFAULT 0,
        forgiven integer NOT NULL DEFAULT 0,
        worker text,
        lease_until timestamptz,
        run_after timestamptz NOT NULL DEFAULT now(),
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        finished_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX uq_job_dedupe_key ON job (dedupe_key) WHERE state IN ('queued', 'running')",
    "CREATE INDEX ix_job_open ON job (id) WHERE state IN ('queued', 'running')",
    """
    CREATE TABLE idempotency_key (
        subject text NOT NULL,
        key text NOT NULL,
        operation text NOT NULL,
        fingerprint text NOT NULL,
        status integer,
        headers jsonb,
        body bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_idempotency_key PRIMARY KEY (subject, key)
    )
    """,
    """
    CREATE TABLE feed_cursor (
        peer text CONSTRAINT pk_feed_cursor PRIMARY KEY,
        position text,
        moved_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # Runs as the owner: callers write neither the feed nor the audit themselves.
    """
    CREATE FUNCTION opora_track() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        hidden text[] := string_to_array(TG_ARGV[6], ',');
        before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - hidden END;
        after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - hidden END;
        present jsonb := COALESCE(after, before);
        natural_key jsonb;
        has_moved boolean := false;
    BEGIN
        IF before = after THEN
            RETURN NULL;
        END IF;
        SELECT COALESCE(jsonb_object_agg(name, present -> name), '{}') INTO natural_key
        FROM unnest(string_to_array(TG_ARGV[1], ',')) AS name;
        IF TG_OP = 'UPDATE' AND TG_ARGV[4] <> '' THEN
            has_moved := (before ->> TG_ARGV[4]) IS DISTINCT FROM (after ->> TG_ARGV[4]);
        END IF;
        -- Who loses the row from sight is told so, at its old place.
        IF has_moved OR TG_OP = 'DELETE' THEN
            INSERT INTO change (kind, op, entity_id, key, version, region_id, municipality_id, school_id, is_open)
            VALUES (TG_ARGV[0], 'delete', (before ->> TG_ARGV[2])::bigint, natural_key,
                    (before ->> 'version')::integer,
                    (before ->> TG_ARGV[3])::bigint,
                    (before ->> NULLIF(TG_ARGV[4], ''))::bigint,
                    CASE WHEN has_moved THEN NULL ELSE (before ->> NULLIF(TG_ARGV[5], ''))::bigint END,
                    TG_ARGV[7]::boolean);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO change (kind, op, entity_id, key, version, body,
                                region_id, municipality_id, school_id, is_open)
            VALUES (TG_ARGV[0], 'upsert', (after ->> TG_ARGV[2])::bigint, natural_key,
                    (after ->> 'version')::integer, after,
                    (after ->> TG_ARGV[3])::bigint,
                    (after ->> NULLIF(TG_ARGV[4], ''))::bigint,
                    (after ->> NULLIF(TG_ARGV[5], ''))::bigint,
                    TG_ARGV[7]::boolean);
        END IF;
        INSERT INTO audit_entry (subject, request_id, kind, entity_id, op, before, after, region_id)
        VALUES (COALESCE(NULLIF(current_setting('opora.subject', true), ''), session_user),
                COALESCE(current_setting('opora.request_id', true), ''),
                TG_ARGV[0], (present ->> TG_ARGV[2])::bigint, lower(TG_OP), before, after,
                (present ->> TG_ARGV[3])::bigint);
        RETURN NULL;
    END
    $$
    """,
    "REVOKE EXECUTE ON FUNCTION opora_track() FROM PUBLIC",
)
