"""The client stays logged in, repeats what may be repeated, and shows its calls as commands."""

import json
import stat
import subprocess

import httpx
import pytest

from demo.client import Client, Refused, as_curl
from demo.commands import Commands
from demo.stage import Keepsake

GRANT = {"grant_type": "password", "login": "analyst", "password": "secret"}
DOWN, FINE = httpx.Response(503), httpx.Response(200, json={"state": "done"})


class Gateway:
    """Answers as the gateway does, from a list, and remembers what it was asked."""

    def __init__(
        self, *answers: httpx.Response, expires_in: int = 300, keeps_sessions: bool = True
    ):
        self.answers = list(answers)
        self.expires_in = expires_in
        self.keeps_sessions = keeps_sessions
        self.grants: list[str] = []
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/auth/token":
            return self._token(json.loads(request.content)["grant_type"])
        request.read()
        self.asked.append(request)
        answer = self.answers.pop(0)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def _token(self, grant: str) -> httpx.Response:
        self.grants.append(grant)
        if grant == "refresh_token" and not self.keeps_sessions:
            return httpx.Response(400, json={"code": "invalid-grant", "title": "Нет"})
        body = {"access_token": "t", "expires_in": self.expires_in, "refresh_token": "r"}
        return httpx.Response(200, json=body)

    def client(self) -> Client:
        http = httpx.Client(transport=httpx.MockTransport(self), base_url="http://gateway")
        return Client(http, "analyst", GRANT)


def test_a_token_is_used_until_shortly_before_it_expires():
    gateway = Gateway(FINE, FINE)
    client = gateway.client()

    client.get("/a")
    client.get("/b")

    assert gateway.grants == ["password"]
    assert gateway.asked[1].headers["authorization"] == "Bearer t"


def test_a_token_about_to_expire_is_renewed_by_refreshing():
    gateway = Gateway(FINE, FINE, expires_in=30)
    client = gateway.client()

    client.get("/a")
    client.get("/b")

    assert gateway.grants == ["password", "refresh_token"]


def test_a_session_that_ended_is_begun_anew_with_the_password():
    gateway = Gateway(FINE, FINE, expires_in=30, keeps_sessions=False)
    client = gateway.client()

    client.get("/a")
    client.get("/b")

    assert gateway.grants == ["password", "refresh_token", "password"]


def test_an_act_with_a_key_is_repeated_as_it_was_while_a_service_is_away():
    gateway = Gateway(DOWN, FINE)

    gateway.client().post("/acts", {"what": "проверка"}, key="act-00001")

    first, second = gateway.asked
    assert first.content == second.content
    assert second.headers["idempotency-key"] == "act-00001"


def test_an_act_without_a_key_is_not_repeated():
    gateway = Gateway(DOWN, FINE)

    with pytest.raises(Refused):
        gateway.client().issue("/secret", etag='"1"')

    assert len(gateway.asked) == 1


def test_a_file_is_sent_whole_again_after_an_interruption(tmp_path):
    file = tmp_path / "results.csv"
    file.write_bytes(b"a;b\r\n" * 100_000)
    gateway = Gateway(DOWN, FINE)
    sent = []

    gateway.client().upload("PUT", "/files/results", file, headers={}, sent=sent.append)

    assert [len(request.content) for request in gateway.asked] == [500_000, 500_000]
    assert sent[-1] == 500_000


def test_a_problem_is_told_in_the_services_words():
    problem = {"code": "taken", "title": "Занято", "detail": "Уже есть.", "hint": "Другое имя"}
    gateway = Gateway(httpx.Response(409, json=problem))

    with pytest.raises(Refused, match=r"Занято\. Уже есть\. Другое имя") as refused:
        gateway.client().get("/a")

    assert (refused.value.status, refused.value.code) == (409, "taken")


def test_following_ends_when_the_state_changes_and_gives_up_in_time():
    busy = httpx.Response(200, json={"state": "checking"})
    gateway = Gateway(busy, busy, FINE, busy)
    client = gateway.client()

    done = client.follow("/imports/1", while_in=("checking",), every_seconds=0.01)

    assert done["state"] == "done"
    with pytest.raises(TimeoutError):
        client.follow("/imports/1", while_in=("checking",), within_seconds=0)


def test_all_pages_of_a_list_are_read():
    pages = [
        httpx.Response(200, json={"items": [{"id": 1}, {"id": 2}], "next": "more"}),
        httpx.Response(200, json={"items": [{"id": 3}], "next": None}),
    ]
    gateway = Gateway(*pages)

    found = [one["id"] for one in gateway.client().every("/things", year=2026)]

    assert found == [1, 2, 3]
    assert gateway.asked[1].url.params["cursor"] == "more"
    assert gateway.asked[1].url.params["year"] == "2026"


def test_a_command_sends_the_same_bytes_through_the_shell():
    body = {"name": "Школа № 1, «Родник» $HOME 'x'"}
    http = httpx.Client(base_url="http://gateway")
    request = http.build_request("POST", "/a?x=1&y=2", json=body, headers={"If-Match": '"3"'})

    command = as_curl(request, name="analyst")
    told = subprocess.run(
        [
            "sh",
            "-c",
            'OPORA=http://gateway; TOKEN_analyst=t; curl() { printf "%s\\0" "$@"; }; ' + command,
        ],
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")

    assert told[told.index(b"-d") + 1] == request.content
    assert b"http://gateway/a?x=1&y=2" in told
    assert b'If-Match: "3"' in told
    assert b"Authorization: Bearer t" in told


def test_passwords_are_kept_for_the_owner_and_stay_the_same(tmp_path):
    first = Keepsake(tmp_path).password("analyst")

    assert Keepsake(tmp_path).password("analyst") == first
    assert Keepsake(tmp_path).password("chief") != first
    assert stat.S_IMODE((tmp_path / "accounts.json").stat().st_mode) == 0o600


def test_the_script_holds_each_call_once_and_a_login_before_the_first(tmp_path):
    path = tmp_path / "commands.sh"
    for _ in range(2):
        commands = Commands(path, "http://gateway")
        commands.note("analyst", GRANT, "curl one")
        commands.note("analyst", GRANT, "curl two")

    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[-2:] == ["curl one", "curl two"]
    assert sum(line.startswith("TOKEN_analyst=") for line in lines) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
