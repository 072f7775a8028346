"""How somebody who has guessed too often is told to wait."""

from services.kit.problems import Problem

__all__ = ["TooManyAttempts"]


class TooManyAttempts(Problem):
    """Too many failed attempts of one name or from one source; the next is heard after a pause."""

    status = 429
    title = "Слишком много неудачных попыток входа"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "Попытки временно приостановлены: их было слишком много.",
            hint=f"Повторите через {seconds} с.",
            retry_after_seconds=seconds,
            # What an OAuth client understands (RFC 8628, 3.5).
            error="slow_down",
        )
        self.response_headers["Retry-After"] = str(seconds)
