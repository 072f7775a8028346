"""Secrets of a machine client overlap, end, are listed without being shown, and die at once."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.gateway.clients.conftest import seconds_until_dead, stays_alive
from tests.support.callers import machine, region_user
from tests.support.running import problem


async def test_the_former_secret_works_on_for_a_day(register):
    client = await register()
    first, second = await client.secret(), await client.secret()

    former, fresh = await client.secrets()

    assert (await client.log_in(first["client_secret"])).status_code == 200
    assert (await client.log_in(second["client_secret"])).status_code == 200
    assert (former["id"], fresh["id"]) == (first["secret_id"], second["secret_id"])
    assert (former["state"], fresh["state"]) == ("ending", "live")
    ends = datetime.fromisoformat(former["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=58) < ends <= timedelta(hours=24)
    assert fresh["expires_at"] is None


async def test_the_caller_names_the_overlap(register):
    client = await register()
    await client.secret()
    await client.secret(overlap_hours=720)

    former, _ = await client.secrets()

    ends = datetime.fromisoformat(former["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < ends <= timedelta(days=30)
    for hours in (-1, 721, 1.5):
        problem(
            await client.ask("POST", "/secret", {"overlap_hours": hours}), 422, "validation-failed"
        )


async def test_an_overlap_is_never_made_longer(register):
    client = await register()
    await client.secret()
    await client.secret(overlap_hours=1)
    await client.secret(overlap_hours=720)

    former, second, _ = await client.secrets()

    assert datetime.fromisoformat(former["expires_at"]) < datetime.now(UTC) + timedelta(hours=2)
    assert datetime.fromisoformat(second["expires_at"]) > datetime.now(UTC) + timedelta(days=29)


async def test_without_an_overlap_the_former_secret_and_its_tokens_die_at_once(register, gateway):
    client = await register()
    first = await client.secret()
    token = client.earlier_token("imports:read")
    assert (await gateway.as_(token).get("/api/auth/me")).status_code == 200

    second = await client.secret(overlap_hours=0)

    assert await seconds_until_dead(gateway, token) <= 1
    problem(await client.log_in(first["client_secret"]), 401, "invalid-client")
    assert (await client.log_in(second["client_secret"])).status_code == 200
    assert [one["state"] for one in await client.secrets()] == ["expired", "live"]


async def test_an_overlap_leaves_tokens_alone(register, gateway):
    client = await register()
    await client.secret()
    token = client.earlier_token("imports:read")

    await client.secret(overlap_hours=1)

    assert await stays_alive(gateway, token)


async def test_an_overlap_ends(register, gateway):
    client = await register()
    first = await client.secret()
    await client.secret()
    async with gateway.database.engine.begin() as connection:
        await connection.exec_driver_sql("SELECT set_config('role', 'opora_system', true)")
        await connection.exec_driver_sql(
            "UPDATE machine_client_secret SET expires_at = now() - interval '1 second'"
            " WHERE expires_at IS NOT NULL"
        )

    problem(await client.log_in(first["client_secret"]), 401, "invalid-client")


async def test_a_revoked_secret_and_the_clients_tokens_die_at_once(register, gateway):
    client = await register()
    leaked, good = await client.secret(), await client.secret()
    token, of_another = (
        client.earlier_token("imports:read"),
        machine(scopes=[], region_id=1, client_id="somebody-else"),
    )

    answer = await client.ask("DELETE", f"/secrets/{leaked['secret_id']}")

    assert answer.status_code == 200
    assert await seconds_until_dead(gateway, token) <= 1
    assert await stays_alive(gateway, of_another, 0.2)
    problem(await client.log_in(leaked["client_secret"]), 401, "invalid-client")
    assert (await client.log_in(good["client_secret"])).status_code == 200
    assert [one["state"] for one in await client.secrets()] == ["revoked", "live"]


async def test_the_newest_secret_can_be_revoked_too(register):
    client = await register()
    issued = await client.secret()

    await client.ask("DELETE", f"/secrets/{issued['secret_id']}")

    problem(await client.log_in(issued["client_secret"]), 401, "invalid-client")
    assert (await client.shown())["has_secret"] is False


async def test_revoking_asks_for_the_present_state_and_an_own_secret(register, gateway):
    client, stranger = await register(), await register("stranger")
    issued, foreign = await client.secret(), await stranger.secret()
    path = f"/api/accounts/machine-clients/{client.id}/secrets"

    async with gateway.as_(client.token) as http:
        unseen = await http.delete(f"{path}/{issued['secret_id']}")
        stale = await http.delete(f"{path}/{issued['secret_id']}", headers={"If-Match": '"1"'})
    of_another = await client.ask("DELETE", f"/secrets/{foreign['secret_id']}")

    problem(unseen, 428, "precondition-required")
    problem(stale, 412, "stale-version")
    problem(of_another, 404, "secret-not-found")
    assert (await client.log_in(issued["client_secret"])).status_code == 200


async def test_another_region_sees_and_revokes_no_secret(register, gateway):
    client = await register()
    issued = await client.secret()
    path = f"/api/accounts/machine-clients/{client.id}/secrets"

    async with gateway.as_(region_user(region_id=2)) as http:
        problem(await http.get(path), 404, "client-not-found")
        revoked = await http.delete(f"{path}/{issued['secret_id']}", headers={"If-Match": '"2"'})

    problem(revoked, 404, "client-not-found")
    assert (await client.log_in(issued["client_secret"])).status_code == 200


async def test_a_list_of_secrets_shows_their_use_and_never_the_secret(register):
    client = await register()
    unused, used = await client.secret(), await client.secret()
    before = await client.shown()
    await client.log_in(used["client_secret"])

    listed, after = await client.secrets(), await client.shown()

    today = datetime.now(UTC).date().isoformat()
    assert [one["last_used_on"] for one in listed] == [None, today]
    assert (before["last_used_on"], after["last_used_on"]) == (None, today)
    # A use makes no administrator's edit stale.
    assert before["version"] == after["version"]
    assert unused["client_secret"] not in str(listed)
    assert used["client_secret"] not in str(listed)
    assert not [name for one in listed for name in one if "hash" in name]


async def test_a_wrong_secret_is_no_use(register):
    client = await register()
    await client.secret()

    await client.log_in("wrong")

    assert (await client.shown())["last_used_on"] is None


async def test_a_client_has_few_secrets_at_a_time(register):
    client = await register()
    for _ in range(5):
        await client.secret(overlap_hours=1)

    problem(await client.ask("POST", "/secret"), 409, "too-many-secrets")
    await client.secret(overlap_hours=0)
    assert [one["state"] for one in await client.secrets()] == ["expired"] * 5 + ["live"]


async def test_no_secret_is_stored_readable(register, gateway):
    client = await register()
    issued = await client.secret()

    async with gateway.database.engine.connect() as connection:
        await connection.exec_driver_sql("SELECT set_config('role', 'opora_system', true)")
        hashes = await connection.exec_driver_sql("SELECT secret_hash FROM machine_client_secret")
        kept = [row[0] for row in hashes]
        stored = {}
        for table in ("machine_client", "machine_client_secret", "audit_entry", "change"):
            rows = await connection.exec_driver_sql(f"SELECT t::text FROM {table} t")
            stored[table] = "\n".join(row[0] for row in rows)

    assert "journal" in stored["audit_entry"]
    assert issued["client_secret"] not in "".join(stored.values())
    # Nor does the hash leave its table: the audit, read by more people, tells at most that it changed.
    assert kept
    assert kept[0] in stored["machine_client_secret"]
    assert kept[0] not in stored["audit_entry"] + stored["change"]


@pytest.mark.parametrize("way", ["secret", "keys"])
async def test_a_machine_gets_nothing_through_a_client_that_may_do_more(register, gateway, way):
    """Otherwise a client with few rights would issue itself a secret of one with many."""
    client = await register()
    weak = machine(scopes=["clients:write", "clients:read", "imports:read"], region_id=1)
    strong = machine(
        scopes=["clients:write", "clients:read", "imports:read", "imports:write"], region_id=1
    )
    method, body = ("POST", None) if way == "secret" else ("PUT", {"keys": [KEY]})

    refused = await client.ask(method, f"/{way}", body, token=weak)
    allowed = await client.ask(method, f"/{way}", body, token=strong)

    assert problem(refused, 403, "scope-not-held")["scopes"] == ["imports:write"]
    assert allowed.status_code == 200, allowed.text


KEY = {
    "kid": "2026-11",
    "kty": "EC",
    "alg": "ES256",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
