"""Public keys are read anew all the time: new ones are known, revoked ones are dead, none is lost by accident."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt

from services.kit.principals import KeysUnavailable, TokenVerifier, Unauthorized
from tests.kit.notes.app import SERVICE
from tests.support.callers import TEST_KEYS, TEST_KID, region_user, signed
from tests.support.serving import served

GENUINE = region_user(region_id=1)


def another_key(kid):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public = jwk.construct(pem, "RS256").public_key().to_dict()
    claims = jwt.get_unverified_claims(GENUINE)
    token = jwt.encode(claims, pem, algorithm="RS256", headers={"typ": "at+jwt", "kid": kid})
    return {**public, "kid": kid, "use": "sig"}, token


OTHER, BY_OTHER = another_key("other")


class KeyServer:
    """Publishes what it is told to."""

    def __init__(self) -> None:
        self.status, self.body = 200, json.dumps(TEST_KEYS)
        self.asked = 0

    def publish(self, *keys: Any) -> None:
        self.body = json.dumps({"keys": keys})

    async def __call__(self, _: Any, __: Any, send: Any) -> None:
        self.asked += 1
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": self.body.encode()})

    async def asked_again(self):
        """Wait until an answer given from now on was surely taken."""
        at = self.asked
        async with asyncio.timeout(5):
            while self.asked < at + 2:
                await asyncio.sleep(0.01)


@pytest.fixture
async def keys():
    server = KeyServer()
    async with served(server, lifespan="off") as url:
        server.url = f"{url}/jwks"
        yield server


@asynccontextmanager
async def verifying(url, **values):
    settings = SERVICE.settings(
        database_url="postgresql+asyncpg://x@localhost/x", jwks_url=url, **values
    )
    verifier = TokenVerifier(settings, SERVICE.roles)
    keeping = asyncio.create_task(verifier.keep_fresh())
    try:
        yield verifier
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def accepted(verifier, token):
    try:
        await verifier.principal(token)
    except Unauthorized:
        return False
    return True


async def test_a_revoked_key_is_dead_here_even_for_tokens_judged_before(keys):
    keys.publish(*TEST_KEYS["keys"], OTHER)
    async with verifying(keys.url, keys_refresh_seconds=0.05) as verifier:
        before = [await accepted(verifier, token) for token in (GENUINE, BY_OTHER)]
        keys.publish(OTHER)
        await keys.asked_again()
        after = [await accepted(verifier, token) for token in (GENUINE, BY_OTHER)]

    assert (before, after) == ([True, True], [False, True])


async def test_a_new_key_is_known_before_anybody_uses_it(keys):
    async with verifying(keys.url, keys_refresh_seconds=0.05) as verifier:
        assert await accepted(verifier, GENUINE)
        keys.publish(*TEST_KEYS["keys"], OTHER)
        await keys.asked_again()
        known = set(verifier._keys)

    assert known == {TEST_KID, "other"}


async def test_the_same_key_published_again_keeps_what_was_judged(keys):
    async with verifying(keys.url, keys_refresh_seconds=0.05) as verifier:
        first = await verifier.principal(GENUINE)
        await keys.asked_again()

        assert await verifier.principal(GENUINE) is first


async def test_another_key_under_the_same_kid_replaces_it(keys):
    impostor, by_impostor = another_key(TEST_KID)
    async with verifying(keys.url, keys_refresh_seconds=0.05) as verifier:
        before = [await accepted(verifier, token) for token in (GENUINE, by_impostor)]
        keys.publish(impostor)
        await keys.asked_again()
        after = [await accepted(verifier, token) for token in (GENUINE, by_impostor)]

    assert (before, after) == ([True, False], [False, True])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "{}"),
        (503, ""),
        (429, "{}"),
        (200, '{"keys": []}'),
        (200, "{}"),
        (200, "[]"),
        (200, "null"),
        (200, "not json"),
        (200, '{"keys": [{"kty": "RSA", "kid": "x"}]}'),
        (200, '{"keys": [1]}'),
        (200, '{"keys": [{"kty": "EC", "kid": "x", "alg": "ES256"}]}'),
    ],
)
async def test_a_failed_or_empty_answer_takes_no_key_away(keys, status, body):
    async with verifying(keys.url, keys_refresh_seconds=0.05) as verifier:
        assert await accepted(verifier, GENUINE)
        keys.status, keys.body = status, body
        await keys.asked_again()
        during = await accepted(verifier, GENUINE)
        keys.status, keys.body = 200, json.dumps({"keys": [*TEST_KEYS["keys"], OTHER]})
        await keys.asked_again()
        healed = await accepted(verifier, BY_OTHER)

    assert during
    assert healed


async def test_without_any_key_no_token_can_be_judged(keys):
    keys.status = 500
    async with verifying(keys.url) as verifier:
        with pytest.raises(KeysUnavailable):
            await verifier.principal(GENUINE)


async def test_a_refused_token_is_judged_anew_and_an_accepted_one_is_not_another(keys):
    """Nothing but the whole token is remembered, and only what was accepted."""
    async with verifying(keys.url) as verifier:
        head, body, signature = GENUINE.split(".")
        forged = [f"{head}.{body}.{signature[:-2]}AA", GENUINE + " ", f"{head}.{body}.", head]
        outcomes = [await accepted(verifier, token) for token in (*forged, GENUINE, *forged)]

    assert outcomes == [False] * 4 + [True] + [False] * 4


async def test_the_memory_of_tokens_is_bounded(keys, monkeypatch):
    monkeypatch.setattr("services.kit.principals.CACHE_SIZE", 3)
    claims = jwt.get_unverified_claims(GENUINE)
    async with verifying(keys.url) as verifier:
        for number in range(10):
            await verifier.principal(signed(claims | {"jti": str(number)}))

        assert len(verifier._judged) == 3
