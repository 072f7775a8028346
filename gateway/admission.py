"""Who is let through the door: a bad token and too many requests are answered here.

Stands before the services and before the gateway's own paths. What a caller may do is still judged
by whoever answers; here it only counts whose request it is. Pure ASGI, because every request passes.
"""

import math
import time
from dataclasses import dataclass
from typing import Final, Self

from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import headers
from gateway.callers import Callers
from gateway.limits.buckets import Bucket, Buckets, Rate
from gateway.refusals import TooManyAtOnce, TooManyRequests
from gateway.routing import destination_of
from gateway.settings import GatewaySettings
from gateway.sources import Sources
from gateway.streams import refuse
from services.kit.logs import begin_request, log
from services.kit.principals import Principal, Role
from services.kit.problems import Problem

__all__ = ["Admission", "Rates"]

_EXEMPT: Final = frozenset({b"/health/live", b"/health/ready"})
"""Asked by the cluster about this very process: an answer of the limiter would have it restarted."""

_SIGN_IN: Final = b"/api/auth/token"
_SECRETS: Final = b"/api/auth/"
"""Under it whoever has no token yet shows a secret: guessing is slower than asking."""

_TELL_EVERY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of one gateway; None where the settings turn one off."""

    caller: Rate | None
    machine: Rate | None
    source: Rate | None
    sign_in: Rate | None
    at_once: int

    @classmethod
    def of(cls, settings: GatewaySettings) -> Self:
        """Read them from the settings."""

        def rate(name: str, per_second: float, burst: int) -> Rate | None:
            return Rate(name, per_second, max(burst, 1)) if per_second > 0 else None

        return cls(
            caller=rate("caller", settings.caller_per_second, settings.caller_burst),
            machine=rate("machine", settings.machine_per_second, settings.machine_burst),
            source=rate("source", settings.source_per_second, settings.source_burst),
            sign_in=rate("sign-in", settings.sign_in_per_second, settings.sign_in_burst),
            at_once=settings.requests_at_once,
        )


class Admission:
    """Names the caller, counts the request, and answers itself what goes too far."""

    def __init__(self, app: ASGIApp, own: State, settings: GatewaySettings) -> None:
        self._app = app
        # The callers live as long as the gateway's own application, which makes them.
        self._own = own
        self._sources = Sources(settings.trusted_proxies)
        self._rates = Rates.of(settings)
        secret = settings.key_secret
        self._buckets = own.buckets = Buckets(
            b"" if secret is None else secret.get_secret_value().encode()
        )
        self._told: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["raw_path"] in _EXEMPT:
            await self._app(scope, receive, send)
            return
        scope["opora.request_id"] = begin_request(headers.offered_request_id(scope))
        source = self._sources.mark(scope)
        caller: Principal | None = None
        refusal: Problem | None = None
        try:
            callers: Callers = self._own.callers
            caller = await callers.caller_of(scope["headers"])
        except Problem as bad_token:
            # The gateway's own paths judge for themselves: some need no token, and a client that
            # comes for a new one often still sends the old one along.
            if destination_of(scope["raw_path"]) is not None:
                refusal = bad_token
        bucket = self._bucket(scope, caller, source)
        if bucket is None:
            await self._pass(refusal, scope, receive, send)
            return
        excess = self._excess(bucket)
        if excess is not None:
            self._tell(bucket, caller)
            counted = _counting(bucket, send, is_last=caller is None)
            await refuse(excess, scope, receive, counted)
            return
        bucket.running += 1
        try:
            await self._pass(refusal, scope, receive, _counting(bucket, send, is_last=False))
        finally:
            bucket.running -= 1

    async def _pass(
        self, refusal: Problem | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refuse(refusal, scope, receive, send)

    def _bucket(self, scope: Scope, caller: Principal | None, source: str) -> Bucket | None:
        rate, who = self._rates.caller, source
        if scope["method"] == "POST" and (
            scope["raw_path"] == _SIGN_IN
            or (caller is None and scope["raw_path"].startswith(_SECRETS))
        ):
            rate = self._rates.sign_in
        elif caller is None:
            rate = self._rates.source
        else:
            who = caller.subject
            if caller.role is Role.INTEGRATION:
                rate = self._rates.machine
        return None if rate is None else self._buckets.of(rate, who)

    def _excess(self, bucket: Bucket) -> Problem | None:
        """Count the request; return what is said when it is one too many."""
        if bucket.running >= self._rates.at_once:
            return _too_many_at_once(self._rates.at_once)
        wait = self._buckets.spend(bucket)
        return _too_many(bucket.rate, wait) if wait > 0 else None

    def _tell(self, bucket: Bucket, caller: Principal | None) -> None:
        # One line for a flood, or the log would be the next thing that is flooded.
        name = bucket.rate.name
        now = time.monotonic()
        if now - self._told.get(name, -math.inf) >= _TELL_EVERY_SECONDS:
            self._told[name] = now
            log.warning("limited", limit=name, caller=caller.subject if caller else None)


def _too_many(rate: Rate, wait: float) -> Problem:
    seconds = math.ceil(wait)
    problem = TooManyRequests(
        f"Разрешено в среднем {rate.per_second:g} запросов в секунду, подряд — до {rate.burst}.",
        hint=f"Повторите запрос через {seconds} с (заголовок Retry-After).",
        limit=rate.name,
        retry_after_seconds=seconds,
    )
    problem.response_headers["Retry-After"] = str(seconds)
    return problem


def _too_many_at_once(allowed: int) -> Problem:
    problem = TooManyAtOnce(
        f"Одновременно обрабатывается не больше {allowed} ваших запросов.",
        hint="Дождитесь ответа на часть запросов и повторите.",
        limit="at-once",
        retry_after_seconds=1,
    )
    problem.response_headers["Retry-After"] = "1"
    return problem


def _counting(bucket: Bucket, send: Send, *, is_last: bool) -> Send:
    """Say on the answer what is left of the rate."""

    async def send_counted(message: Message) -> None:
        if message["type"] == "http.response.start":
            told = [*message.get("headers", ()), *bucket.headers()]
            if is_last:
                # Whoever floods without a token does not keep connections open on top of it.
                told = [pair for pair in told if pair[0] != b"connection"]
                told.append((b"connection", b"close"))
            message["headers"] = told
        await send(message)

    return send_counted
