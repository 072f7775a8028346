"""No forged token gets in, whatever it claims; keys come only from where the settings say."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwt

from gateway.app import SERVICE
from tests.support.callers import (
    PUBLIC_PEM,
    TEST_KEYS,
    TEST_KID,
    machine,
    region_user,
    school_user,
    signed,
    token_for,
)
from tests.support.running import problem, running
from tests.support.serving import served

NOW = int(time.time())
GOOD: dict[str, Any] = jwt.get_unverified_claims(region_user(region_id=1))


def encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned(alg: str, signature: str = "") -> str:
    header = {"alg": alg, "typ": "at+jwt", "kid": TEST_KID}
    return f"{encoded(header)}.{encoded(GOOD)}.{signature}"


def hmac_signed(key: bytes) -> str:
    head = encoded({"alg": "HS256", "typ": "at+jwt", "kid": TEST_KID}) + "." + encoded(GOOD)
    return f"{head}.{encoded(hmac.digest(key, head.encode(), hashlib.sha256))}"


def stranger(alg: str = "RS256") -> str:
    key = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if alg == "RS256"
        else ec.generate_private_key(ec.SECP256R1())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return jwt.encode(GOOD, pem, algorithm=alg, headers={"typ": "at+jwt", "kid": TEST_KID})


def without(claim: str) -> str:
    return signed({name: value for name, value in GOOD.items() if name != claim})


def having(**claims: Any) -> str:
    return signed(GOOD | claims)


PUBLIC_DER = base64.b64decode("".join(PUBLIC_PEM.splitlines()[1:-1]))
GENUINE = region_user(region_id=1)
HEAD, BODY, SIGNATURE = GENUINE.split(".")

FORGED = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg nOnE with the signature": unsigned("nOnE", SIGNATURE),
    "alg RS256 without signature": unsigned("RS256"),
    "no dots": GENUINE.replace(".", ""),
    "four dots": GENUINE + ".a.b",
    "empty parts": "..",
    "HS256 keyed with the public PEM": hmac_signed(PUBLIC_PEM.encode()),
    "HS256 keyed with the public PEM, stripped": hmac_signed(PUBLIC_PEM.strip().encode()),
    "HS256 keyed with the public DER": hmac_signed(PUBLIC_DER),
    "HS256 keyed with the JWK": hmac_signed(json.dumps(TEST_KEYS["keys"][0]).encode()),
    "HS256 keyed with nothing": hmac_signed(b""),
    "another RSA key under our kid": stranger(),
    "an EC key under our kid": stranger("ES256"),
    "body changed": f"{HEAD}.{encoded(GOOD | {'region_id': 2})}.{SIGNATURE}",
    "head changed": f"{encoded({'alg': 'RS256', 'typ': 'at+jwt', 'kid': TEST_KID, 'x': 1})}.{BODY}.{SIGNATURE}",
    "unknown kid": signed(GOOD, kid="unknown"),
    "kid is a path": signed(GOOD, kid="../../../../dev/null"),
    "kid is SQL": signed(GOOD, kid="' OR 1=1 --"),
    "kid is an object": signed(GOOD, kid={"a": 1}),
    "kid is null": signed(GOOD, kid=None),
    "kid is very long": signed(GOOD, kid="k" * 1_000_000),
    "x5u": signed(GOOD, x5u="http://127.0.0.1:9/cert"),
    "jwk": signed(GOOD, jwk=TEST_KEYS["keys"][0]),
    "crit": signed(GOOD, crit=["exp"]),
    "typ JWT": signed(GOOD, typ="JWT"),
    "typ missing": signed(GOOD, typ=None),
    "an ID token": signed(GOOD, typ="id+jwt"),
    "aud of another": having(aud="other"),
    "aud missing": without("aud"),
    "iss of another": having(iss="other"),
    "iss missing": without("iss"),
    "sub missing": without("sub"),
    "iat missing": without("iat"),
    "jti missing": without("jti"),
    "exp missing": without("exp"),
    "expired": having(exp=NOW - 31),
    "exp is text": having(exp="9999999999"),
    "exp is a fraction": having(exp=NOW + 100.5),
    "exp is infinite": having(exp=1e308),
    "exp is null": having(exp=None),
    "nbf in the future": having(nbf=NOW + 7200),
    "role unknown": having(role="admin"),
    "role missing": without("role"),
    "level above the role": having(level="system"),
    "level missing": without("level"),
    "region missing": without("region_id"),
    "region is text": having(region_id="1"),
    "region is true": having(region_id=True),
    "a school without its municipality": token_for(
        subject="user:3", role="school", region_id=1, school_id=1
    ),
    "a machine that calls itself a person": token_for(
        subject="user:1", role="integration", level="region", region_id=1
    ),
    "a person that calls itself a machine": token_for(
        subject="client:ris-gia", role="region", region_id=1
    ),
}


@pytest.fixture(scope="module")
async def probed(databases):
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        yield service


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
async def test_a_forged_token_is_refused(probed, token):
    async with probed.as_(token) as client:
        answer = await client.get("/api/auth/me")

    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "token",
    [
        GENUINE,
        school_user(region_id=1, municipality_id=2, school_id=3),
        machine(scopes=[], region_id=1),
    ],
    ids=["genuine", "school", "machine"],
)
async def test_a_genuine_token_gets_in(probed, token):
    async with probed.as_(token) as client:
        assert (await client.get("/api/auth/me")).status_code == 200


async def test_clocks_may_differ_by_half_a_minute(probed):
    now = int(time.time())
    # Ten seconds of room on the accepted side: this machine may be busy.
    statuses = {}
    for name, claims in {
        "expired a moment ago": {"exp": now - 20},
        "not yet valid for a moment": {"nbf": now + 29},
        "expired": {"exp": now - 31},
        "not yet valid": {"nbf": now + 600},
    }.items():
        async with probed.as_(having(**claims)) as client:
            statuses[name] = (await client.get("/api/auth/me")).status_code

    assert statuses == {
        "expired a moment ago": 200,
        "not yet valid for a moment": 200,
        "expired": 401,
        "not yet valid": 401,
    }


async def test_two_authorization_headers_let_nobody_in(probed):
    async with probed.as_(None) as client:
        answer = await client.get(
            "/api/auth/me", headers=[("Authorization", f"Bearer {GENUINE}")] * 2
        )

    problem(answer, 401, "unauthorized")


async def test_a_machine_gets_no_more_than_its_token_names(probed):
    async with probed.as_(machine(scopes=["clients:read"], region_id=1)) as client:
        allowed = await client.get("/api/accounts/machine-clients")
        refused = await client.get("/api/accounts")

    assert allowed.status_code == 200
    problem(refused, 403, "missing-scope")


class KeyServer:
    """Publishes a key set and counts who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(TEST_KEYS).encode()})


async def test_unknown_keys_are_asked_for_rarely_and_a_token_names_no_key_server(databases):
    keys, attacker = KeyServer(), KeyServer()
    async with (
        served(keys, lifespan="off") as url,
        served(attacker, lifespan="off") as trap,
        databases.fresh(SERVICE) as urls,
        running(SERVICE, urls, jwks=None, jwks_url=f"{url}/jwks") as service,
    ):
        invented = [signed(GOOD, kid=f"invented-{n}", jku=trap, x5u=trap) for n in range(5)]
        invented += [signed(GOOD, kid=f"invented-{n}") for n in range(20)]
        statuses = []
        for token in [GENUINE, *invented, GENUINE]:
            async with service.as_(token) as client:
                statuses.append((await client.get("/api/auth/me")).status_code)

    assert statuses == [200, *[401] * 25, 200]
    # Once when the process began, once for an unknown key; forgeries ask no more often.
    assert keys.asked in (["/jwks"], ["/jwks"] * 2)
    assert attacker.asked == []
