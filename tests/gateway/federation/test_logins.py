"""A person logs in by way of an external issuer, and nobody else does."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from jose import jwt
from jose.jws import sign as jose_signed
from joserfc.jwk import ECKey, RSAKey

from gateway.app import SERVICE
from tests.gateway.conftest import KEY_SECRET
from tests.gateway.federation.conftest import BACK, REGION, Doors, issuer_settings, link
from tests.support import issuer as issuers
from tests.support.running import problem, running


async def test_the_web_app_learns_which_issuers_there_are(doors):
    async with doors.gateway.as_(None) as browser:
        answer = await browser.get("/api/auth/issuers")

    assert answer.json() == {
        "items": [
            {"name": "esia", "title": "Вход через esia"},
            {"name": "other", "title": "Вход через other"},
        ]
    }


async def test_a_linked_person_gets_the_tokens_of_a_login(doors):
    answer = await doors.log_in()

    assert answer.status_code == 200, answer.text
    async with doors.gateway.as_(None) as client:
        published = (await client.get("/api/auth/jwks")).json()
    claims = jwt.decode(
        answer.json()["access_token"], published, algorithms=["RS256"], audience="opora"
    )
    assert claims["sub"] == f"user:{doors.account['id']}"
    assert (claims["role"], claims["municipality_id"]) == ("municipality", 3)
    async with doors.gateway.as_(None) as client:
        gone_on = await client.post(
            "/api/auth/token",
            json={
                "grant_type": "refresh_token",
                "refresh_token": answer.json()["refresh_token"],
            },
        )
    assert gone_on.status_code == 200


async def test_the_browser_is_sent_away_with_pkce_state_and_nonce(doors):
    begun = (await doors.begin()).json()

    asked = {k: v[0] for k, v in parse_qs(urlsplit(begun["authorization_url"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == BACK
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    # The verifier is the browser's alone: it is no part of what travels through the issuer.
    assert begun["login_verifier"] not in begun["authorization_url"]


async def test_secrets_of_a_login_under_way_are_not_readable_in_the_database(doors):
    begun = (await doors.begin()).json()
    asked = {k: v[0] for k, v in parse_qs(urlsplit(begun["authorization_url"]).query).items()}

    stored = await _dump(doors, "external_login")

    for secret in (asked["state"], asked["nonce"], begun["login_verifier"]):
        assert secret not in stored
        assert secret.encode().hex() not in stored
    assert BACK in stored  # the control: the row is there


async def _dump(doors, table):
    async with doors.gateway.database.engine.connect() as connection:
        from sqlalchemy import text

        await connection.execute(text("SELECT set_config('role', 'opora_system', true)"))
        rows = await connection.execute(text(f"SELECT t::text FROM {table} t"))
        return "\n".join(row[0] for row in rows)


async def test_only_addresses_of_the_settings_are_returned_to(doors):
    for address in ("https://evil.example/", BACK + "/", BACK + "?x=1", BACK.upper()):
        refused = problem(await doors.begin(redirect_uri=address), 422, "validation-failed")
        assert refused["errors"][0]["pointer"] == "/redirect_uri"

    assert await doors.count("external_login") == 0


async def test_an_unknown_issuer_is_not_found(doors):
    problem(await doors.begin("nobody"), 404, "issuer-not-found")


async def test_a_state_of_somebodys_own_making_is_refused(doors):
    refused = await doors.log_in(state="of my own making")

    problem(refused, 400, "external-login-refused")
    assert doors.esia.times("/token") == 0


async def test_another_browser_cannot_finish_the_login(doors):
    sent_back, verifier = await doors.away()
    _, of_another_login = await doors.away()

    stolen = await doors.finish(**sent_back, login_verifier=of_another_login)
    own = await doors.finish(**sent_back, login_verifier=verifier)

    problem(stolen, 400, "external-login-refused")
    # And the thief has used nothing up.
    assert own.status_code == 200


async def test_a_login_is_finished_once(doors):
    sent_back, verifier = await doors.away()

    first = await doors.finish(**sent_back, login_verifier=verifier)
    again = await doors.finish(**sent_back, login_verifier=verifier)

    assert first.status_code == 200
    problem(again, 400, "external-login-refused")
    # Refused here, before the issuer is asked a second time.
    assert doors.esia.times("/token") == 1


async def test_of_many_returns_with_one_state_one_is_taken(doors):
    sent_back, verifier = await doors.away()

    answers = await asyncio.gather(
        *(doors.finish(**sent_back, login_verifier=verifier) for _ in range(10))
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9
    assert doors.esia.times("/token") == 1


async def test_a_code_that_was_used_is_not_taken_again(doors):
    used, verifier = await doors.away()
    await doors.finish(**used, login_verifier=verifier)

    refused = await doors.log_in(code=used["code"])

    problem(refused, 400, "external-login-refused")


async def test_a_code_of_another_login_is_not_taken(doors):
    """PKCE: a code that was stolen on its way back is of no use in the thief's own login."""
    stolen, _ = await doors.away()

    refused = await doors.log_in(code=stolen["code"])

    problem(refused, 400, "external-login-refused")


async def test_a_login_takes_ten_minutes_at_most(doors):
    sent_back, verifier = await doors.away()
    await doors.execute("UPDATE external_login SET expires_at = now() - interval '1 second'")

    problem(await doors.finish(**sent_back, login_verifier=verifier), 400, "external-login-refused")


def _set(**said):
    def change(claims):
        for name, value in said.items():
            claims.pop(name, None) if value is ... else claims.update({name: value})

    return change


def _shift(**seconds):
    def change(claims):
        for name, by in seconds.items():
            claims[name] = claims["iat"] + by

    return change


WRONG_CLAIMS = [
    _set(nonce="of another login"),
    _set(nonce=...),
    _set(nonce=5),
    _set(iss="https://elsewhere.example"),
    _set(iss=...),
    _set(aud="somebody-else"),
    _set(aud=["opora", "somebody-else"]),
    _set(aud=[]),
    _set(aud=...),
    _set(azp="somebody-else"),
    _shift(exp=-31),
    _set(exp=...),
    _set(exp="4102444800"),
    _set(exp=1e308),
    _set(exp=True),
    _shift(iat=60),
    _set(iat=...),
    _shift(iat=-700),
    _shift(nbf=60),
    _set(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    _set(at_hash=1),
    _set(sub=...),
    _set(sub=""),
    _set(sub=["person-1"]),
]


async def test_an_id_token_that_says_something_else_is_refused(doors):
    for number, change in enumerate(WRONG_CLAIMS):
        doors.esia.change = change
        answer = await doors.log_in()
        assert answer.status_code == 400, f"{number}: {answer.text}"
        problem(answer, 400, "external-login-refused")

    assert await doors.count("login_session") == 0


ALLOWED_CLAIMS = [
    _set(aud=["opora"]),
    _set(azp="opora"),
    _shift(exp=-20),
    _shift(iat=20),
    _set(at_hash=...),
]


async def test_an_id_token_within_what_the_standard_allows_is_taken(doors):
    for number, change in enumerate(ALLOWED_CLAIMS):
        doors.esia.change = change
        answer = await doors.log_in()
        assert answer.status_code == 200, f"{number}: {answer.text}"


FORGERIES = [
    issuers.unsigned,
    issuers.signed_by_the_public_key,
    issuers.signed_by_another_key,
    issuers.bringing_its_own_key,
    lambda issuer, claims: issuers.signed(issuer, claims, jku=f"{issuer.url}/jwks"),
    lambda issuer, claims: issuers.signed(issuer, claims, kid="../../jwks"),
    lambda issuer, claims: jose_signed(
        claims,
        issuer.key.as_pem(private=True).decode(),
        {"kid": issuer.kid, "crit": ["exp"]},
        "RS256",
    ),
    lambda issuer, claims: issuers.signed(issuer, claims, alg="RS512"),
    lambda issuer, claims: issuers.signed(issuer, claims)[:-8] + "AAAAAAAA",
    lambda issuer, claims: issuers.signed(issuer, claims).rsplit(".", 1)[0] + ".",
    lambda _, claims: json.dumps(claims),
    lambda *_: "x" * 40_000,
]


async def test_an_id_token_that_the_issuer_did_not_sign_is_refused(doors):
    for number, sign in enumerate(FORGERIES):
        doors.esia.sign = sign
        answer = await doors.log_in()
        assert answer.status_code == 400, f"{number}: {answer.text}"
        problem(answer, 400, "external-login-refused")

    assert await doors.count("login_session") == 0
    doors.esia.sign = None
    assert (await doors.log_in()).status_code == 200


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (lambda: RSAKey.generate_key(2048), "PS256"),
        (lambda: ECKey.generate_key("P-256"), "ES256"),
    ],
)
async def test_the_other_asymmetric_algorithms_are_taken_too(doors, key, algorithm):
    doors.esia.key, doors.esia.algorithm = key(), algorithm

    assert (await doors.log_in()).status_code == 200


async def test_a_key_for_another_use_verifies_nothing(doors):
    doors.esia.key_use = "enc"

    problem(await doors.log_in(), 400, "external-login-refused")


async def test_a_new_key_of_the_issuer_is_fetched_when_its_name_appears(doors):
    assert (await doors.log_in()).status_code == 200
    doors.esia.key, doors.esia.kid = RSAKey.generate_key(2048), "next-key"
    keys = next(iter(doors.gateway.app.state.parts.issuers))._documents

    too_soon = await doors.log_in()
    keys._keys_at -= 31
    later = await doors.log_in()

    # An invented name must not make us ask each time: twice a minute at most.
    problem(too_soon, 400, "external-login-refused")
    assert later.status_code == 200
    assert doors.esia.times("/jwks") == 2


async def test_a_person_whom_nobody_linked_is_refused_and_not_created(doors):
    doors.esia.subject = "person-2"
    before = await doors.count("account")

    problem(await doors.log_in(), 403, "external-person-unknown")
    assert await doors.count("account") == before
    assert await doors.count("external_identity") == 1
    assert await doors.count("login_session") == 0


async def test_a_blocked_person_is_refused(doors):
    path = f"/api/accounts/{doors.account['id']}"
    async with doors.gateway.as_(REGION) as client:
        etag = (await client.get(path)).headers["etag"]
        blocked = await client.put(f"{path}/blocking", headers={"If-Match": etag})
    assert blocked.status_code == 200

    problem(await doors.log_in(), 403, "external-person-unknown")


async def test_the_same_subject_of_another_issuer_is_somebody_else(doors):
    doors.other.subject = "person-1"

    problem(await doors.log_in("other"), 403, "external-person-unknown")


async def test_a_return_to_another_issuer_than_the_one_asked_is_refused(doors):
    """Mix-up: the code of one issuer must never be sent to the other."""
    sent_back, verifier = await doors.away("esia")

    mixed = await doors.finish("other", **sent_back, login_verifier=verifier)

    problem(mixed, 400, "external-login-refused")
    assert doors.other.times("/token") == 0


async def test_an_id_token_of_another_issuer_is_refused(doors):
    def as_the_other(_, claims):
        return issuers.signed(doors.other, claims | {"iss": doors.other.url})

    doors.esia.sign = as_the_other

    problem(await doors.log_in(), 400, "external-login-refused")


@pytest.mark.parametrize("said", ["https://evil.example", None])
async def test_an_issuer_that_names_itself_is_not_believed_under_another_name(doors, said):
    """RFC 9207: the attacker's issuer forwards the browser with its own name, or leaves it out."""
    doors.esia.names_itself = True
    sent_back, verifier = await doors.away()
    assert sent_back["iss"] == doors.esia.url
    sent_back.pop("iss")

    refused = await doors.finish(
        **sent_back, login_verifier=verifier, **({"iss": said} if said else {})
    )

    problem(refused, 400, "external-login-refused")
    assert doors.esia.times("/token") == 0
    assert (await doors.log_in()).status_code == 200


async def test_refusals_do_not_tell_why(doors):
    answers = [await doors.log_in(state="wrong"), await doors.log_in(code="wrong")]
    doors.esia.change = _set(nonce="wrong")
    answers.append(await doors.log_in())

    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert bodies[0] == bodies[1] == bodies[2]


@pytest.mark.parametrize(
    "esia_settings",
    [
        {
            "client_secret": None,
            "private_key": RSAKey.generate_key(2048).as_pem(private=True).decode(),
            "private_key_id": "ours",
        }
    ],
    ids=["private-key"],
)
async def test_the_gateway_can_prove_itself_by_signing(doors):
    assert (await doors.log_in()).status_code == 200
    form = next(asked for path, asked in doors.esia.asked if path == "/token")
    assert "client_secret" not in form
    claims = jwt.get_unverified_claims(form["client_assertion"])
    assert (claims["iss"], claims["sub"]) == ("opora", "opora")
    assert claims["aud"] == f"{doors.esia.url}/token"


@pytest.mark.parametrize("esia_settings", [{"acr_values": ["high"]}], ids=["high"])
async def test_a_weaker_login_than_was_asked_for_is_refused(doors):
    problem(await doors.log_in(), 400, "external-login-refused")
    doors.esia.change = _set(acr="high")

    assert (await doors.log_in()).status_code == 200


async def test_linking_again_ends_what_the_former_person_began(doors):
    granted = (await doors.log_in()).json()

    assert (await link(doors.gateway, doors.account["id"], "person-3")).status_code == 200

    async with doors.gateway.as_(None) as client:
        refused = await client.post(
            "/api/auth/token",
            json={"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]},
        )
    problem(refused, 400, "invalid-grant")
    problem(await doors.log_in(), 403, "external-person-unknown")


@pytest.fixture
async def demanding(databases, registry, esia, other):
    """A gateway that demands a second factor of municipalities; the second issuer gives one."""
    async with (
        databases.fresh(SERVICE) as urls,
        running(
            SERVICE,
            urls,
            key_secret=KEY_SECRET,
            registry_url=registry[1],
            second_factor_roles=("municipality",),
            oidc_issuers=[
                issuer_settings("esia", esia),
                issuer_settings("other", other, second_factor=True),
            ],
            oidc_redirect_uris=[BACK],
        ) as gateway,
    ):
        yield gateway


async def test_an_issuer_gives_a_second_factor_only_where_the_operator_says_so(
    demanding, esia, other
):
    async with demanding.as_(REGION) as client:
        made = await client.post(
            "/api/accounts",
            json={
                "login": "ivanova",
                "display_name": "Иванова М. П.",
                "role": "municipality",
                "municipality_id": 3,
            },
        )
    assert made.status_code == 201, made.text
    doors = Doors(demanding, esia, other, made.json())

    await link(demanding, made.json()["id"], "person-1")
    problem(await doors.log_in(), 403, "second-factor-enrolment-required")
    assert await doors.count("login_session") == 0
    await link(demanding, made.json()["id"], "person-1", issuer="other")
    assert (await doors.log_in("other")).status_code == 200
