"""Loaded by schemathesis: who calls. The token is taken anew now and then, for fuzzing may end a session."""

import json
import os

import requests
import schemathesis

GATEWAY = os.environ["FUZZ_GATEWAY"]
GRANT = json.loads(os.environ["FUZZ_GRANT"])
LONGEST_WAIT = 30
"""Seconds that the contract lets a reader of a feed wait."""


@schemathesis.auth(refresh_interval=20)
class Token:
    """The access token of the role under test."""

    def get(self, case, context):  # noqa: ARG002  the interface of schemathesis
        """Log in."""
        answer = requests.post(f"{GATEWAY}/api/auth/token", json=GRANT, timeout=30)
        answer.raise_for_status()
        return answer.json()["access_token"]

    def set(self, case, data, context):  # noqa: ARG002
        """Call as this role."""
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Let no feed be waited for: half a minute of silence is a sound answer and tells nothing."""
    wait = (case.query or {}).get("wait")
    if str(wait).isascii() and str(wait).isdigit() and 1 < int(str(wait)) <= LONGEST_WAIT:
        case.query["wait"] = 1
