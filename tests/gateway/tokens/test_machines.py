"""Machine clients prove their identity: a region's own, and Opora's over all regions."""

import httpx
import pytest
from jose import jwt

from tests.support.callers import region_user
from tests.support.running import problem

REGION = region_user(region_id=1)


@pytest.fixture
async def ris_gia(gateway):
    """A client of region 1 with its secret."""
    async with gateway.as_(REGION) as client:
        made = await client.post(
            "/api/accounts/machine-clients",
            json={
                "client_id": "ris-gia",
                "title": "РИС ГИА",
                "scopes": ["imports:write", "imports:read"],
            },
        )
        secret = await client.post(
            f"/api/accounts/machine-clients/{made.json()['id']}/secret",
            headers={"If-Match": made.headers["etag"]},
        )
    assert secret.status_code == 200, secret.text
    return made.json() | secret.json()


async def ask(gateway, client_id, secret, **fields):
    async with gateway.as_(None) as client:
        return await client.post(
            "/api/auth/token",
            json={
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": secret,
                **fields,
            },
        )


async def test_a_regions_client_gets_its_scopes_in_its_region(gateway, ris_gia):
    answer = await ask(gateway, "ris-gia", ris_gia["client_secret"])

    granted = answer.json()
    claims = jwt.get_unverified_claims(granted["access_token"])
    assert (claims["sub"], claims["role"], claims["level"], claims["region_id"]) == (
        "client:ris-gia",
        "integration",
        "region",
        1,
    )
    assert claims["scope"] == granted["scope"] == "imports:read imports:write"
    assert "refresh_token" not in granted


async def test_a_client_may_ask_for_less_but_not_for_more(gateway, ris_gia):
    less = await ask(gateway, "ris-gia", ris_gia["client_secret"], scope="imports:read")
    more = await ask(
        gateway, "ris-gia", ris_gia["client_secret"], scope="imports:read regions:write"
    )

    assert less.json()["scope"] == "imports:read"
    assert problem(more, 400, "invalid-scope")["error"] == "invalid_scope"


async def test_form_and_basic_header_work_as_oauth_clients_send_them(gateway, ris_gia):
    async with gateway.as_(None) as client:
        form = await client.post(
            "/api/auth/token",
            data={
                "grant_type": "client_credentials",
                "client_id": "ris-gia",
                "client_secret": ris_gia["client_secret"],
            },
        )
        basic = await client.post(
            "/api/auth/token",
            data={"grant_type": "client_credentials"},
            auth=("ris-gia", ris_gia["client_secret"]),
        )

    assert (form.status_code, basic.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [
        ("ris-gia", "wrong"),
        ("nobody", "wrong"),
        ("root", "wrong"),
        ("service:indicators", "wrong"),
    ],
)
async def test_a_wrong_secret_and_an_unknown_client_are_told_alike(
    gateway, ris_gia, client_id, secret
):
    answer = await ask(gateway, client_id, secret)

    assert problem(answer, 401, "invalid-client")["error"] == "invalid_client"
    assert answer.headers["www-authenticate"] == 'Basic realm="opora"'


async def test_a_blocked_client_gets_no_token_until_it_is_unblocked(gateway, ris_gia):
    async with gateway.as_(REGION) as client:
        path = f"/api/accounts/machine-clients/{ris_gia['id']}"
        current = await client.get(path)
        blocked = await client.put(
            f"{path}/blocking", headers={"If-Match": current.headers["etag"]}
        )
        refused = await ask(gateway, "ris-gia", ris_gia["client_secret"])
        await client.delete(f"{path}/blocking", headers={"If-Match": blocked.headers["etag"]})

    problem(refused, 401, "invalid-client")
    assert (await ask(gateway, "ris-gia", ris_gia["client_secret"])).status_code == 200


async def test_guesses_of_one_source_are_slowed_down_and_disturb_no_other_client(gateway, ris_gia):
    wrong = [await ask(gateway, "ris-gia", f"guess {number}") for number in range(7)]
    of_the_victim = await ask(gateway, "ris-gia", ris_gia["client_secret"])
    of_another = await ask(gateway, "root", "root-secret")

    statuses = [answer.status_code for answer in wrong]
    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429
    assert int(wrong[-1].headers["retry-after"]) >= 1
    # From the very source of the guesses even the right secret has to wait; others do not.
    problem(of_the_victim, 429, "too-many-attempts")
    assert of_another.status_code == 200


async def test_a_client_elsewhere_is_let_in_while_its_secret_is_guessed(gateway, ris_gia):
    for number in range(7):
        await ask(gateway, "ris-gia", f"guess {number}")

    assert (await ask_from("192.0.2.7", gateway, ris_gia)).status_code == 200


async def test_a_source_that_tries_many_clients_has_to_wait(gateway, ris_gia):
    answers = [await ask(gateway, f"nobody-{number}", "guess") for number in range(25)]

    assert answers[0].status_code == 401
    problem(answers[-1], 429, "too-many-attempts")
    assert (await ask_from("192.0.2.7", gateway, ris_gia)).status_code == 200


async def ask_from(address, gateway, client):
    transport = httpx.ASGITransport(gateway.app, client=(address, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        return await http.post(
            "/api/auth/token",
            json={
                "grant_type": "client_credentials",
                "client_id": client["client_id"],
                "client_secret": client["client_secret"],
            },
        )


async def test_a_right_secret_forgets_the_wrong_ones_before(gateway, ris_gia):
    for _ in range(4):
        for number in range(3):
            await ask(gateway, "ris-gia", f"guess {number}")
        answer = await ask(gateway, "ris-gia", ris_gia["client_secret"])

        assert answer.status_code == 200


async def test_a_client_without_a_secret_cannot_prove_anything(gateway):
    async with gateway.as_(REGION) as client:
        await client.post(
            "/api/accounts/machine-clients",
            json={"client_id": "mute", "title": "Без секрета", "scopes": ["imports:read"]},
        )

    problem(await ask(gateway, "mute", "anything"), 401, "invalid-client")


@pytest.mark.parametrize(
    ("client_id", "secret", "subject"),
    [
        ("root", "root-secret", "root"),
        ("service:indicators", "indicators-secret", "service:indicators"),
    ],
)
async def test_system_clients_come_from_the_settings(gateway, client_id, secret, subject):
    answer = await ask(gateway, client_id, secret)

    claims = jwt.get_unverified_claims(answer.json()["access_token"])
    assert (claims["sub"], claims["level"]) == (subject, "system")
    assert "region_id" not in claims
