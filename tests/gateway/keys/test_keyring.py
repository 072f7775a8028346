"""Signing keys: made once, sealed, published together."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import InvalidToken
from jose import jwk, jwt

from gateway.keys.keyring import Keyring
from gateway.keys.tables import SigningKey
from gateway.seals import Seal, WeakSecretError
from services.kit.reach import Reach
from tests.gateway.conftest import KEY_SECRET


@pytest.fixture
def keyring() -> Keyring:
    """What another process of the gateway would have."""
    return Keyring(Seal(KEY_SECRET))


async def add(gateway, kid, state, retired_at=None):
    async with gateway.database.transaction(Reach.system()) as session:
        session.add(
            SigningKey(
                kid=kid,
                state=state,
                private_sealed=b"sealed",
                public_jwk={"kid": kid},
                created_at=datetime.now(UTC),
                retired_at=retired_at,
            )
        )


async def test_processes_that_start_at_once_make_one_key(gateway):
    rings = [Keyring(Seal(KEY_SECRET)) for _ in range(6)]

    keys = await asyncio.gather(*(ring.current(gateway.database) for ring in rings))

    assert len({key.kid for key in keys}) == 1


async def test_another_process_signs_with_the_same_key(gateway, keyring):
    async with gateway.as_(None) as client:
        keys = {key["kid"]: key for key in (await client.get("/api/auth/jwks")).json()["keys"]}
    signing = await keyring.current(gateway.database)
    published = keys[signing.kid]

    token = jwt.encode({"sub": "x"}, signing.key, algorithm="RS256")

    assert jwt.decode(token, jwk.construct(published), algorithms=["RS256"]) == {"sub": "x"}


async def test_the_published_key_is_public_only(gateway):
    async with gateway.as_(None) as client:
        answer = await client.get("/api/auth/jwks")

    published = answer.json()["keys"]
    assert len(published) == 2
    assert all(set(key) == {"alg", "e", "kid", "kty", "n", "use"} for key in published)
    assert answer.headers["cache-control"] == "public, max-age=20"


async def test_several_keys_are_published_until_the_last_tokens_are_over(gateway, keyring):
    now = datetime.now(UTC)
    await add(gateway, "next", "next")
    await add(gateway, "just retired", "retired", now - timedelta(minutes=65))
    await add(gateway, "long retired", "retired", now - timedelta(minutes=71))
    await add(gateway, "revoked", "revoked", now - timedelta(minutes=1))

    current = (await keyring.current(gateway.database)).kid

    published = {key["kid"] for key in await keyring.published(gateway.database)}
    assert published == {current, "next", "just retired"}


async def test_known_keys_stay_published_while_the_database_is_away(gateway, keyring):
    known = await keyring.published(gateway.database)
    keyring._read_at = -float("inf")

    class Away:
        def transaction(self, _):
            raise ConnectionRefusedError

    assert await keyring.published(Away()) == known


async def test_another_secret_opens_no_key(gateway, keyring):
    await keyring.current(gateway.database)
    stranger = Keyring(Seal("another secret that is long enough too"))

    with pytest.raises(InvalidToken):
        await stranger.current(gateway.database)


@pytest.mark.parametrize("secret", [None, "", "short"])
def test_a_weak_secret_is_refused_in_plain_words(secret):
    with pytest.raises(WeakSecretError, match="OPORA_GATEWAY_KEY_SECRET"):
        Seal(secret)
