"""How long a refusal takes does not tell whether the name exists."""

import os
import statistics
import time

from sqlalchemy import text

from services.kit.reach import Reach
from tests.gateway.conftest import log_in
from tests.support.callers import region_user

REGION = region_user(region_id=1, user_id=900)
# By hand: PAIRS=500; a few are enough to see that the check of the password is not skipped.
PAIRS = int(os.environ.get("PAIRS", "15"))


async def forget_everybody(gateway):
    async with gateway.database.transaction(Reach.system()) as session:
        await session.execute(text("DELETE FROM login_attempt"))


async def test_an_unknown_name_takes_as_long_as_a_wrong_password(gateway, person):
    await person(REGION, "known", "curator")
    async with gateway.as_(REGION) as client:
        await client.post(
            "/api/accounts",
            json={"login": "invited", "display_name": "Ждёт приглашения", "role": "curator"},
        )
    seconds = {"known": [], "unknown": [], "invited": []}
    for _ in range(PAIRS):
        for login, taken in seconds.items():
            await forget_everybody(gateway)
            started = time.perf_counter()
            answer = await log_in(gateway, login, "not the password")
            taken.append(time.perf_counter() - started)
            assert answer.status_code == 400

    medians = {login: statistics.median(taken) for login, taken in seconds.items()}
    print({login: f"{median * 1e3:.1f} ms" for login, median in medians.items()})
    # Without the check of nobody's password an unknown name is told some ten times faster.
    for login in ("unknown", "invited"):
        assert 0.7 < medians[login] / medians["known"] < 1.4
