"""An issuer that is down, slow, or talks nonsense: 503 in time, and nothing is created."""

import time

import pytest
from pydantic import ValidationError

from gateway.issuers import asking
from gateway.issuers.settings import OidcIssuer
from tests.gateway.federation.conftest import issuer_settings
from tests.support.issuer import Issuer
from tests.support.running import problem

METADATA = {
    "another issuer": lambda _: {"issuer": "https://elsewhere.example"},
    "no issuer": lambda _: {"issuer": None},
    "a token endpoint elsewhere": lambda doors: {"token_endpoint": f"{doors.other.url}/token"},
    "keys elsewhere": lambda doors: {"jwks_uri": f"{doors.other.url}/jwks"},
    "a place inside": lambda _: {"jwks_uri": "http://169.254.169.254/latest"},
    "a file": lambda _: {"jwks_uri": "file:///etc/passwd"},
    "another scheme": lambda doors: {"token_endpoint": doors.esia.url.replace("http", "https")},
    "no address": lambda _: {"authorization_endpoint": 5},
    "a port that is none": lambda _: {"token_endpoint": "http://127.0.0.1:none/token"},
    "too much": lambda _: {"padding": "x" * 70_000},
}


async def test_a_discovery_document_that_leads_elsewhere_is_not_followed(doors):
    for name, said in METADATA.items():
        doors.esia.metadata = said(doors)

        answer = await doors.begin()

        assert answer.status_code == 503, f"{name}: {answer.text}"
        assert problem(answer, 503, "issuer-unavailable")["issuer"] == "esia"
        assert int(answer.headers["retry-after"]) > 0
    assert doors.other.asked == []
    assert await doors.count("external_login") == 0
    doors.esia.metadata = {}
    assert (await doors.begin()).status_code == 200


async def test_an_issuer_that_is_down_is_told_so(doors):
    async with doors.gateway.as_(None) as browser:
        sent_back, verifier = await doors.away()
        doors.esia.token_answer = (500, b"{}")
        failing = await doors.finish(**sent_back, login_verifier=verifier)
        listed = await browser.get("/api/auth/issuers")

    problem(failing, 503, "issuer-unavailable")
    assert listed.status_code == 200
    assert await doors.count("login_session") == 0


@pytest.mark.parametrize(
    "token_answer",
    [(200, b"not json"), (200, b"[1]"), (302, b"{}"), (200, b'{"a": "' + b"x" * 70_000 + b'"}')],
    ids=["text", "list", "redirect", "too much"],
)
async def test_an_answer_that_is_none_is_no_login(doors, token_answer):
    doors.esia.token_answer = token_answer

    problem(await doors.log_in(), 503, "issuer-unavailable")
    assert await doors.count("login_session") == 0


async def test_an_answer_without_an_id_token_is_no_login(doors):
    doors.esia.token_answer = (200, b'{"access_token": "a", "id_token": null}')

    problem(await doors.log_in(), 400, "external-login-refused")


async def test_a_slow_issuer_is_given_up(doors, monkeypatch):
    monkeypatch.setattr(asking, "_SECONDS", 0.3)
    doors.esia.silent_seconds = 3

    began = time.monotonic()
    answer = await doors.begin()

    problem(answer, 503, "issuer-unavailable")
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "http://esia.example"},
        {"issuer": "https://user@esia.example"},
        {"issuer": "https://esia.example?x=1"},
        {"issuer": "ftp://esia.example"},
        {"token_endpoint": "http://10.0.0.1/token"},
        {"client_secret": None},
        {"private_key": "-----BEGIN PRIVATE KEY-----"},
        {"client_secret": None, "private_key": "no key"},
        {"scopes": ["profile"]},
        {"name": "../esia"},
    ],
    ids=str,
)
def test_settings_that_would_be_unsafe_are_refused(said):
    sound = issuer_settings("esia", Issuer(url="https://esia.example"))
    OidcIssuer(**sound)

    with pytest.raises(ValidationError):
        OidcIssuer(**(sound | said))
