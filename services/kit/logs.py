"""Structured logs with the request id and without personal data."""

import logging
import re
import sys
import uuid
from contextvars import ContextVar

import structlog

__all__ = ["begin_request", "configure", "log", "request_id"]

_REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")

log: structlog.stdlib.BoundLogger = structlog.get_logger("opora")


def request_id() -> str:
    """Return the id of the request at hand; empty outside of one."""
    return _REQUEST_ID.get()


def begin_request(offered: str | None) -> str:
    """Take the caller's request id when it is harmless in a log line, else make one."""
    accepted = offered if offered and _ACCEPTABLE.fullmatch(offered) else uuid.uuid4().hex
    _REQUEST_ID.set(accepted)
    return accepted


def _add_request_id(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    if current := request_id():
        event["request_id"] = current
    return event


def configure(service: str, level: str) -> None:
    """Send everything, our own and the libraries', to standard output as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                lambda _, __, event: {"service": service, **event},
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        ),
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # These two narrate every request and every query; their warnings are welcome.
    for noisy in ("httpx", "httpcore", "sqlalchemy.engine", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
