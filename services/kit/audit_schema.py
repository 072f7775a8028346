"""The tables and functions of the audit, as statements for migrations (kit/migrations.py: complete_audit).

Callers only ever read here: rows come from the trigger and from the functions below, which run as the
owner and take the subject from the transaction, so nobody writes in another's name.
"""

from services.kit.reach import Level

__all__ = ["CANONICAL", "FORM", "SHORTEST_MEMORY_DAYS", "STATEMENTS"]

FORM = 1
"""Number of the canonical form. A later form gets the next number, and links say which one is theirs."""

SHORTEST_MEMORY_DAYS = 365
"""No setting and no call makes an audit forget what is younger."""

_AT = """to_char({row}.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

_ENTRY = f"""jsonb_build_array({FORM}, 'entry', e.id, {_AT.format(row="e")}, e.subject, e.role,
    e.request_id, e.kind, e.entity_id, e.op, e.before, e.after, to_jsonb(e.changed),
    e.region_id, e.municipality_id, e.school_id)::text"""
_READING = f"""jsonb_build_array({FORM}, 'reading', r.id, {_AT.format(row="r")}, r.subject, r.role,
    r.request_id, r.operation, r.kind, to_jsonb(r.ids), r.filters,
    r.region_id, r.municipality_id, r.school_id)::text"""

CANONICAL = f"""CASE WHEN e.id IS NOT NULL THEN {_ENTRY}
    WHEN r.id IS NOT NULL THEN {_READING} END"""
"""What is hashed of an entry: one JSON array as PostgreSQL prints jsonb (docs/decisions/0022).

`e` is the row of audit_entry, `r` that of read_entry; NULL when there is neither.
"""

_SUBJECT = "COALESCE(NULLIF(current_setting('opora.subject', true), ''), session_user)"
_ROLE = "replace(current_setting('role'), 'opora_', '')"
_REQUEST = "COALESCE(current_setting('opora.request_id', true), '')"


def _node(name: str) -> str:
    return f"NULLIF(current_setting('opora.{name}', true), '')::bigint"


_TRACK = f"""
    CREATE OR REPLACE FUNCTION opora_track() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        hidden text[] := string_to_array(TG_ARGV[6], ',');
        -- Triggers made before these arguments existed do not pass them.
        personal text[] := string_to_array(COALESCE(TG_ARGV[8], ''), ',');
        is_fed boolean := COALESCE(TG_ARGV[9], 't')::boolean;
        was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - hidden END;
        becomes jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - hidden END;
        before jsonb := was - personal;
        after jsonb := becomes - personal;
        present jsonb := COALESCE(after, before);
        changed text[];
        natural_key jsonb;
        has_moved boolean := false;
    BEGIN
        IF was = becomes THEN
            RETURN NULL;
        END IF;
        IF TG_OP = 'UPDATE' THEN
            -- Names only, so a secret and a person's name may be among them.
            SELECT array_agg(now.key ORDER BY now.key) INTO changed
            FROM jsonb_each(to_jsonb(NEW)) AS now
            WHERE now.value IS DISTINCT FROM to_jsonb(OLD) -> now.key;
            has_moved := TG_ARGV[4] <> ''
                AND (before ->> TG_ARGV[4]) IS DISTINCT FROM (after ->> TG_ARGV[4]);
        END IF;
        IF is_fed THEN
            SELECT COALESCE(jsonb_object_agg(name, present -> name), '{{}}') INTO natural_key
            FROM unnest(string_to_array(TG_ARGV[1], ',')) AS name;
        END IF;
        -- Who loses the row from sight is told so, at its old place.
        IF is_fed AND (has_moved OR TG_OP = 'DELETE') THEN
            INSERT INTO change (kind, op, entity_id, key, version, region_id, municipality_id, school_id, is_open)
            VALUES (TG_ARGV[0], 'delete', (before ->> TG_ARGV[2])::bigint, natural_key,
                    (before ->> 'version')::integer,
                    (before ->> TG_ARGV[3])::bigint,
                    (before ->> NULLIF(TG_ARGV[4], ''))::bigint,
                    CASE WHEN has_moved THEN NULL ELSE (before ->> NULLIF(TG_ARGV[5], ''))::bigint END,
                    TG_ARGV[7]::boolean);
        END IF;
        IF is_fed AND TG_OP <> 'DELETE' THEN
            INSERT INTO change (kind, op, entity_id, key, version, body,
                                region_id, municipality_id, school_id, is_open)
            VALUES (TG_ARGV[0], 'upsert', (after ->> TG_ARGV[2])::bigint, natural_key,
                    (after ->> 'version')::integer, after,
                    (after ->> TG_ARGV[3])::bigint,
                    (after ->> NULLIF(TG_ARGV[4], ''))::bigint,
                    (after ->> NULLIF(TG_ARGV[5], ''))::bigint,
                    TG_ARGV[7]::boolean);
        END IF;
        WITH entry AS (
            INSERT INTO audit_entry (subject, role, request_id, kind, entity_id, op, before, after, changed,
                                     region_id, municipality_id, school_id)
            VALUES ({_SUBJECT}, {_ROLE}, {_REQUEST},
                    TG_ARGV[0], (present ->> TG_ARGV[2])::bigint, lower(TG_OP), before, after, changed,
                    (present ->> TG_ARGV[3])::bigint,
                    (present ->> NULLIF(TG_ARGV[4], ''))::bigint,
                    (present ->> NULLIF(TG_ARGV[5], ''))::bigint)
            RETURNING id
        )
        INSERT INTO audit_pending SELECT id FROM entry;
        RETURN NULL;
    END
    $$
"""

_RECORD = f"""
    CREATE FUNCTION opora_record(
        p_kind text, p_op text, p_entity_id bigint, p_details jsonb,
        p_region_id bigint, p_municipality_id bigint, p_school_id bigint
    ) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        -- Three words mean that a row changed, which only the trigger knows; one, that entries are gone.
        IF p_op IN ('insert', 'update', 'delete', 'forget') THEN
            RAISE EXCEPTION 'this is recorded by whatever does it';
        END IF;
        WITH entry AS (
            INSERT INTO audit_entry (subject, role, request_id, kind, entity_id, op, after,
                                     region_id, municipality_id, school_id)
            VALUES ({_SUBJECT}, {_ROLE}, {_REQUEST}, p_kind, p_entity_id, p_op, p_details,
                    COALESCE(p_region_id, {_node("region_id")}), p_municipality_id, p_school_id)
            RETURNING id
        )
        INSERT INTO audit_pending SELECT id FROM entry;
    END
    $$
"""

_RECORD_READING = f"""
    CREATE FUNCTION opora_record_reading(
        p_operation text, p_kind text, p_ids bigint[], p_filters jsonb, p_region_id bigint
    ) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        WITH entry AS (
            INSERT INTO read_entry (subject, role, request_id, operation, kind, ids, filters,
                                    region_id, municipality_id, school_id)
            -- Who reads from above all regions is shown to the region that it reads of.
            VALUES ({_SUBJECT}, {_ROLE}, {_REQUEST}, p_operation, p_kind, p_ids, p_filters,
                    COALESCE({_node("region_id")}, p_region_id), {_node("municipality_id")},
                    {_node("school_id")})
            RETURNING id
        )
        INSERT INTO audit_pending SELECT id FROM entry;
    END
    $$
"""

# One transaction links a batch or nothing of it, so a death in between loses and doubles nothing.
_SEAL = f"""
    CREATE FUNCTION opora_seal(p_batch integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        last_position bigint;
        last_hash bytea;
        one record;
        positions bigint[] := '{{}}';
        entries bigint[] := '{{}}';
        digests bytea[] := '{{}}';
        hashes bytea[] := '{{}}';
    BEGIN
        IF NOT pg_try_advisory_xact_lock(hashtext('opora audit'), 1) THEN
            RETURN 0;
        END IF;
        -- A new statement sees what the last holder of the lock committed.
        SELECT position, hash INTO last_position, last_hash
        FROM audit_link ORDER BY position DESC LIMIT 1;
        last_position := COALESCE(last_position, 0);
        last_hash := COALESCE(last_hash, '\\x{"00" * 32}');
        FOR one IN
            SELECT p.id, sha256(convert_to(
                COALESCE({CANONICAL}, ''), 'UTF8')) AS digest
            FROM (SELECT id FROM audit_pending ORDER BY id LIMIT p_batch) AS p
            LEFT JOIN audit_entry AS e ON e.id = p.id
            LEFT JOIN read_entry AS r ON r.id = p.id
            ORDER BY p.id
        LOOP
            last_position := last_position + 1;
            last_hash := sha256(last_hash || one.digest);
            positions := positions || last_position;
            entries := entries || one.id;
            digests := digests || one.digest;
            hashes := hashes || last_hash;
        END LOOP;
        INSERT INTO audit_link (position, entry_id, form, digest, hash)
        SELECT linked.position, linked.entry_id, {FORM}, linked.digest, linked.hash
        FROM unnest(positions, entries, digests, hashes)
            AS linked (position, entry_id, digest, hash);
        DELETE FROM audit_pending WHERE id = ANY (entries);
        RETURN cardinality(entries);
    END
    $$
"""

# Links stay, and with them the proof of what is younger. The floor keeps a year from whoever has only
# the application's password.
_FORGET = f"""
    CREATE FUNCTION opora_forget(p_days integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        last_position bigint;
        removed bigint;
    BEGIN
        IF p_days < {SHORTEST_MEMORY_DAYS} THEN
            RAISE EXCEPTION 'an audit is kept for at least {SHORTEST_MEMORY_DAYS} days';
        END IF;
        SELECT max(position) INTO last_position FROM audit_link
        WHERE sealed_at < clock_timestamp() - make_interval(days => p_days);
        WITH old AS (
            SELECT entry_id FROM audit_link WHERE position <= last_position
        ), changes AS (
            DELETE FROM audit_entry USING old
            WHERE id = old.entry_id AND NOT (kind = 'audit' AND op = 'forget') RETURNING 1
        ), readings AS (
            DELETE FROM read_entry USING old WHERE id = old.entry_id RETURNING 1
        )
        SELECT (SELECT count(*) FROM changes) + (SELECT count(*) FROM readings) INTO removed;
        IF removed > 0 THEN
            WITH entry AS (
                INSERT INTO audit_entry (subject, role, request_id, kind, op, after)
                VALUES ({_SUBJECT}, {_ROLE}, {_REQUEST}, 'audit', 'forget',
                        jsonb_build_object('position', last_position, 'removed', removed))
                RETURNING id
            )
            INSERT INTO audit_pending SELECT id FROM entry;
        END IF;
        RETURN removed;
    END
    $$
"""

_EVERYONE = ", ".join(f"opora_{level}" for level in Level)

STATEMENTS = (
    """
    ALTER TABLE audit_entry
        ADD COLUMN role text NOT NULL DEFAULT '',
        ADD COLUMN changed text[],
        ADD COLUMN municipality_id bigint,
        ADD COLUMN school_id bigint,
        ALTER COLUMN entity_id DROP NOT NULL
    """,
    "CREATE INDEX ix_audit_entry_subject ON audit_entry (subject, id)",
    "CREATE INDEX ix_audit_entry_at ON audit_entry USING brin (at)",
    # One sequence for both, so that an id names one entry of the chain.
    """
    CREATE TABLE read_entry (
        id bigint NOT NULL DEFAULT nextval('audit_entry_id_seq')
            CONSTRAINT pk_read_entry PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        subject text NOT NULL,
        role text NOT NULL,
        request_id text NOT NULL,
        operation text NOT NULL,
        kind text NOT NULL,
        ids bigint[] NOT NULL,
        filters jsonb NOT NULL,
        region_id bigint,
        municipality_id bigint,
        school_id bigint
    )
    """,
    "CREATE INDEX ix_read_entry_ids ON read_entry USING gin (ids)",
    "CREATE INDEX ix_read_entry_subject ON read_entry (subject, id)",
    "CREATE INDEX ix_read_entry_at ON read_entry USING brin (at)",
    """
    CREATE TABLE audit_pending (
        id bigint NOT NULL CONSTRAINT pk_audit_pending PRIMARY KEY
    )
    """,
    """
    CREATE TABLE audit_link (
        position bigint NOT NULL CONSTRAINT pk_audit_link PRIMARY KEY,
        entry_id bigint NOT NULL CONSTRAINT uq_audit_link_entry_id UNIQUE,
        form smallint NOT NULL,
        digest bytea NOT NULL CONSTRAINT ck_audit_link_digest CHECK (length(digest) = 32),
        hash bytea NOT NULL CONSTRAINT ck_audit_link_hash CHECK (length(hash) = 32),
        sealed_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    # What was written before the chain began is its beginning.
    "INSERT INTO audit_pending SELECT id FROM audit_entry",
    "ALTER TABLE idempotency_key ADD COLUMN readings jsonb",
    _TRACK,
    _RECORD,
    _RECORD_READING,
    _SEAL,
    _FORGET,
    *(
        f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC"
        for function in ("opora_record", "opora_record_reading", "opora_seal", "opora_forget")
    ),
    *(
        f"GRANT EXECUTE ON FUNCTION {function} TO {_EVERYONE}"
        for function in ("opora_record", "opora_record_reading")
    ),
    f"GRANT EXECUTE ON FUNCTION opora_seal TO opora_{Level.SYSTEM}",
    f"GRANT EXECUTE ON FUNCTION opora_forget TO opora_{Level.SYSTEM}",
)
