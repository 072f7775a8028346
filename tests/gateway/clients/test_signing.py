"""A machine client proves itself by signing, and by nothing that only looks like it (RFC 7523)."""

import asyncio
import base64
import json
import time
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from tests.gateway.clients.conftest import seconds_until_dead, stays_alive
from tests.support.issuer import hmac_signed
from tests.support.running import problem

RSA, OTHER_RSA = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
EC, OTHER_CURVE = ECKey.generate_key("P-256"), ECKey.generate_key("P-384")
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ENDPOINT = "http://127.0.0.1:8000/api/auth/token"


def jwk(key, kid, alg):
    return key.as_dict(private=False) | {"kid": kid, "alg": alg, "use": "sig"}


def weak_rsa(bits):
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    modulus = base64.urlsafe_b64encode(numbers.n.to_bytes(bits // 8)).decode().rstrip("=")
    return {"kty": "RSA", "kid": "a", "alg": "RS256", "n": modulus, "e": "AQAB"}


KEYS = [jwk(RSA, "rsa", "RS256"), jwk(RSA, "pss", "PS256"), jwk(EC, "ec", "ES256")]


def claims(**said):
    now = int(time.time())
    regular = {
        "iss": "journal",
        "sub": "journal",
        "aud": ENDPOINT,
        "jti": uuid.uuid4().hex,
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (regular | said).items() if value is not ...}


def signed(said, key=RSA, alg="RS256", kid="rsa", **header):
    head = {"alg": alg, "kid": kid, "typ": "JWT"} | header
    head = {name: value for name, value in head.items() if value is not ...}
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    content = said if isinstance(said, str) else json.dumps(said)
    return jws.serialize_compact(head, content, key, registry=registry)


@pytest.fixture
async def client(register):
    client = await register()
    answer = await client.ask("PUT", "/keys", {"keys": KEYS})
    assert answer.status_code == 200, answer.text
    return client


async def present(client, assertion, **fields):
    return await client.log_in(client_assertion_type=TYPE, client_assertion=assertion, **fields)


async def test_each_algorithm_with_its_key_lets_in(client):
    for key, alg, kid in ((RSA, "RS256", "rsa"), (RSA, "PS256", "pss"), (EC, "ES256", "ec")):
        answer = await present(client, signed(claims(), key, alg, kid))

        assert answer.status_code == 200, answer.text
        assert answer.json()["scope"] == "imports:read imports:write"
    assert (await client.shown())["last_used_on"] is not None


async def test_what_the_standard_allows_is_taken(client):
    for said in (
        {"aud": "opora"},
        {"aud": [ENDPOINT]},
        {"iat": ...},
        {"nbf": int(time.time()) - 5},
        {"exp": time.time() + 59.5},
    ):
        answer = await present(client, signed(claims(**said)))
        assert answer.status_code == 200, said


async def test_the_client_id_may_be_said_beside_and_must_agree(client):
    assert (await present(client, signed(claims()), client_id="journal")).status_code == 200
    problem(await present(client, signed(claims()), client_id="other"), 401, "invalid-client")


async def test_a_form_is_taken_as_oauth_clients_send_it(client):
    async with client.gateway.as_(None) as http:
        answer = await http.post(
            "/api/auth/token",
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": TYPE,
                "client_assertion": signed(claims()),
            },
        )

    assert answer.status_code == 200


def _now():
    return int(time.time())


WRONG = {
    "unsigned": lambda: signed(claims()).rsplit(".", 1)[0] + ".",
    "alg none": lambda: "eyJhbGciOiJub25lIn0." + signed(claims()).split(".")[1] + ".",
    "another key": lambda: signed(claims(), OTHER_RSA),
    "another algorithm than the key's": lambda: signed(claims(), RSA, "PS256", "rsa"),
    "longer hash": lambda: signed(claims(), RSA, "RS512", "rsa"),
    "hmac with the public key": lambda: hmac_signed(claims(), RSA.as_pem(private=False), kid="rsa"),
    "unknown kid": lambda: signed(claims(), kid="other"),
    "no kid": lambda: signed(claims(), kid=...),
    "kid is a path": lambda: signed(claims(), kid="../../../etc/passwd"),
    "brings its key": lambda: signed(claims(), OTHER_RSA, jwk=OTHER_RSA.as_dict(private=False)),
    "names its key's address": lambda: signed(claims(), jku="http://127.0.0.1:1/keys"),
    "certificate of its own": lambda: signed(claims(), x5u="http://127.0.0.1:1/cert"),
    "access token": lambda: signed(claims(), typ="at+jwt"),
    "another issuer": lambda: signed(claims(iss="other")),
    "another subject": lambda: signed(claims(sub="other")),
    "both another": lambda: signed(claims(iss="other", sub="other")),
    "no issuer": lambda: signed(claims(iss=...)),
    "no subject": lambda: signed(claims(sub=...)),
    "a person": lambda: signed(claims(iss="user:1", sub="user:1")),
    "another audience": lambda: signed(claims(aud="https://elsewhere.example/token")),
    "two audiences": lambda: signed(claims(aud=[ENDPOINT, "https://elsewhere.example"])),
    "no audience": lambda: signed(claims(aud=...)),
    "over": lambda: signed(claims(exp=_now() - 1)),
    "good for too long": lambda: signed(claims(exp=_now() + 330)),
    "good for ever": lambda: signed(claims(exp=1e308)),
    "no end": lambda: signed(claims(exp=...)),
    "end is text": lambda: signed(claims(exp=str(_now() + 60))),
    "end is true": lambda: signed(claims(exp=True)),
    "issued in the future": lambda: signed(claims(iat=_now() + 40)),
    "not yet": lambda: signed(claims(nbf=_now() + 40)),
    "no jti": lambda: signed(claims(jti=...)),
    "empty jti": lambda: signed(claims(jti="")),
    "jti is a number": lambda: signed(claims(jti=7)),
    "a claim twice": lambda: signed(json.dumps(claims())[:-1] + ', "sub": "journal"}'),
    "a list": lambda: signed("[]"),
    "no JSON": lambda: signed("text"),
    "no signature at all": lambda: "text",
    "very long": lambda: "x" * 8192,
}


async def test_whatever_is_wrong_is_refused_in_the_same_words(client):
    by_secret = await client.log_in("wrong")
    for name, wrong in WRONG.items():
        refused = await present(client, wrong())
        # The control: the same client with a sound assertion, once the guesses are forgotten.
        await client.forget_attempts()
        sound = await present(client, signed(claims()))

        assert refused.status_code == 401, f"{name}: {refused.text}"
        assert problem(refused, 401, "invalid-client")["error"] == "invalid_client"
        assert {**refused.json(), "request_id": ""} == {**by_secret.json(), "request_id": ""}, name
        assert sound.status_code == 200, name


async def test_an_assertion_is_good_for_one_request(client):
    assertion = signed(claims())

    first, again = await present(client, assertion), await present(client, assertion)

    assert first.status_code == 200
    problem(again, 401, "invalid-client")


async def test_of_many_requests_with_one_assertion_one_is_let_in(client):
    assertion = signed(claims())

    answers = await asyncio.gather(*(present(client, assertion) for _ in range(8)))

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 401, 429}


async def test_two_clients_may_choose_the_same_name_for_their_assertions(client, register):
    other = await register("second")
    await other.ask("PUT", "/keys", {"keys": KEYS})

    mine = await present(client, signed(claims(jti="1")))
    theirs = await present(other, signed(claims(jti="1", iss="second", sub="second")))

    assert (mine.status_code, theirs.status_code) == (200, 200)


async def test_a_secret_and_an_assertion_at_once_are_refused(client):
    both = await present(client, signed(claims()), client_id="journal", client_secret="x")
    half = await client.log_in(client_assertion=signed(claims()))
    nothing = await client.log_in()

    for answer in (both, half, nothing):
        assert problem(answer, 400, "invalid-request")["error"] == "invalid_request"


async def test_a_blocked_client_cannot_sign_either(client):
    await client.ask("PUT", "/blocking")

    problem(await present(client, signed(claims())), 401, "invalid-client")


async def test_a_client_held_to_its_keys_has_no_use_for_secrets(client):
    secret = (await client.secret())["client_secret"]
    token = client.earlier_token("imports:read")
    assert (await client.log_in(secret)).status_code == 200

    held = await client.ask("PATCH", "", {"keys_only": True})

    assert held.json()["keys_only"] is True
    assert await seconds_until_dead(client.gateway, token) <= 1
    problem(await client.log_in(secret), 401, "invalid-client")
    assert (await present(client, signed(claims()))).status_code == 200
    problem(await client.ask("POST", "/secret"), 409, "keys-only")
    problem(await client.ask("PUT", "/keys", {"keys": []}), 409, "keys-missing")


async def test_a_client_without_keys_cannot_be_held_to_them(register):
    client = await register()

    problem(await client.ask("PATCH", "", {"keys_only": True}), 409, "keys-missing")


async def test_a_key_that_goes_takes_the_tokens_along(client):
    token = client.earlier_token("imports:read")

    await client.ask("PUT", "/keys", {"keys": KEYS[1:]})

    assert await seconds_until_dead(client.gateway, token) <= 1
    problem(await present(client, signed(claims())), 401, "invalid-client")
    assert (await client.shown())["key_ids"] == ["pss", "ec"]


async def test_a_key_that_comes_leaves_tokens_alone(client):
    token = client.earlier_token("imports:read")

    await client.ask("PUT", "/keys", {"keys": [*KEYS, jwk(OTHER_RSA, "new", "RS256")]})

    assert await stays_alive(client.gateway, token)
    answer = await present(client, signed(claims(), OTHER_RSA, kid="new"))
    assert answer.status_code == 200


BAD_KEYS = [
    RSA.as_dict(private=True) | {"kid": "a", "alg": "RS256"},
    EC.as_dict(private=True) | {"kid": "a", "alg": "ES256"},
    jwk(EC, "a", "ES256") | {"d": ""},
    {"kty": "oct", "k": "c2VjcmV0", "kid": "a", "alg": "HS256"},
    weak_rsa(1024),
    weak_rsa(2040),
    jwk(RSA, "a", "ES256"),
    jwk(EC, "a", "RS256"),
    jwk(RSA, "a", "RS512"),
    jwk(OTHER_CURVE, "a", "ES256"),
    jwk(RSA, "a", "RS256") | {"e": "Aw"},
    jwk(RSA, "a", "RS256") | {"n": "AQAB"},
    jwk(EC, "a", "ES256") | {"y": jwk(EC, "a", "ES256")["x"]},
    jwk(RSA, "../a", "RS256"),
    jwk(RSA, "a", "RS256") | {"use": "enc"},
    jwk(RSA, "a", "RS256") | {"x5u": "http://127.0.0.1/"},
    {"kid": "a", "kty": "RSA", "alg": "RS256"},
]


async def test_a_key_that_is_private_weak_or_malformed_is_refused(register):
    client = await register()
    for key in BAD_KEYS:
        answer = await client.ask("PUT", "/keys", {"keys": [key]})

        refused = problem(answer, 422, "validation-failed")
        # Nothing of a private key comes back or is kept.
        assert RSA.as_dict(private=True)["d"] not in answer.text
        if "d" in key or "k" in key:
            assert any("закрытый ключ" in one["detail"] for one in refused["errors"]), key
        assert (await client.shown())["key_ids"] == []


async def test_names_of_keys_are_told_apart_and_few(register):
    client = await register()
    twice = [jwk(RSA, "a", "RS256"), jwk(EC, "a", "ES256")]
    many = [jwk(RSA, str(number), "RS256") for number in range(6)]

    for keys in (twice, many):
        problem(await client.ask("PUT", "/keys", {"keys": keys}), 422, "validation-failed")


async def test_keys_are_shown_as_they_are_judged_by(client, gateway):
    path = f"/api/accounts/machine-clients/{client.id}/keys"
    async with gateway.as_(client.token) as http:
        answer = await http.get(path)
        unseen = await http.put(path, json={"keys": []})

    assert [key["kid"] for key in answer.json()["keys"]] == ["rsa", "pss", "ec"]
    assert answer.headers["etag"] == f'"{(await client.shown())["version"]}"'
    problem(unseen, 428, "precondition-required")
