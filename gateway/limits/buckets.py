"""Leaky buckets in the memory of one process.

A request fills its bucket by one, the bucket drains by its rate; a request that would make it run
over is refused. What other processes let through comes in as a higher level and may even run over:
the excess has to drain before anything more is let through, so on the average the rate holds.
"""

import asyncio
import hashlib
import math
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Bucket", "Buckets", "Rate"]

_MOST_BUCKETS: Final = 50_000
"""Whoever brings more sources than this has each of them begin with an empty bucket again."""

_URGENT_SHARE: Final = 8
"""A bucket that filled by an eighth since the last exchange does not wait for the next."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a second, and so many at once after a pause."""

    name: str
    per_second: float
    burst: int
    policy: bytes = field(init=False)
    """The `RateLimit-Policy` of answers under this rate."""

    def __post_init__(self) -> None:
        window = math.ceil(self.burst / self.per_second)
        text = f'"{self.name}";q={self.burst};w={window}'
        object.__setattr__(self, "policy", text.encode())


class Bucket:
    """The requests of one caller or source under one rate, as far as this process knows."""

    __slots__ = ("at", "key", "level", "rate", "running", "unsent")

    def __init__(self, rate: Rate, key: bytes) -> None:
        self.rate = rate
        self.key = key
        self.level = 0.0
        self.at = time.monotonic()
        self.unsent = 0
        self.running = 0
        """Requests under way in this process."""

    def drain(self) -> None:
        """Bring the level to the present."""
        now = time.monotonic()
        self.level = max(0.0, self.level - (now - self.at) * self.rate.per_second)
        self.at = now

    def wait(self) -> float:
        """Return the seconds until one more request fits; 0 when it fits now."""
        self.drain()
        return max(0.0, (self.level + 1 - self.rate.burst) / self.rate.per_second)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the rate and what is left of it, as draft-ietf-httpapi-ratelimit-headers-10 says."""
        left = max(0, int(self.rate.burst - self.level))
        until_empty = math.ceil(self.level / self.rate.per_second)
        value = b'"%b";r=%d;t=%d' % (self.rate.name.encode(), left, until_empty)
        return [(b"ratelimit-policy", self.rate.policy), (b"ratelimit", value)]


class Buckets:
    """All buckets of one process, and which of them others have not heard of yet."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret[:64]
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()
        self._unsent: dict[bytes, Bucket] = {}
        self.has_news = asyncio.Event()
        self.is_urgent = asyncio.Event()

    def of(self, rate: Rate, who: str) -> Bucket:
        """Return the bucket of a caller or source."""
        name = (rate.name, who)
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(rate, self._digest(name))
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
        return bucket

    def spend(self, bucket: Bucket) -> float:
        """Let one request through; return 0, or the seconds it has to wait because it was not."""
        wait = bucket.wait()
        if wait > 0:
            return wait
        bucket.level += 1
        bucket.unsent += 1
        if bucket.unsent == 1:
            self._unsent[bucket.key] = bucket
            self.has_news.set()
        elif bucket.unsent == bucket.rate.burst // _URGENT_SHARE:
            self.is_urgent.set()
        return 0.0

    def take_news(self) -> list[tuple[Bucket, int]]:
        """Return what was let through since the last time, in the order of the keys."""
        self.has_news.clear()
        self.is_urgent.clear()
        news = [(bucket, bucket.unsent) for _, bucket in sorted(self._unsent.items())]
        self._unsent.clear()
        for bucket, _ in news:
            bucket.unsent = 0
        return news

    def bring_back(self, news: list[tuple[Bucket, int]]) -> None:
        """Keep what could not be told for the next time; more than a bucket holds is forgotten."""
        for bucket, spent in news:
            bucket.unsent = min(bucket.unsent + spent, bucket.rate.burst)
            self._unsent[bucket.key] = bucket
            self.has_news.set()

    def learn(self, news: list[tuple[Bucket, int]], levels: dict[bytes, float]) -> None:
        """Take over the levels that all processes filled together."""
        for bucket, _ in news:
            bucket.drain()
            # What was let through while the exchange was under way is not in its answer.
            bucket.level = levels[bucket.key] + bucket.unsent

    def _digest(self, name: tuple[str, str]) -> bytes:
        text = "\n".join(name).encode()
        return hashlib.blake2b(text, key=self._secret, digest_size=16).digest()
