"""What the door itself says when a request cannot be passed on."""

from services.kit.problems import Problem


class ServiceUnavailable(Problem):
    """No connection to the service could be had in time: it is down or all connections are busy."""

    status = 503
    title = "Служба временно недоступна"
    headers = {"Retry-After": "2"}  # noqa: RUF012  read only; an instance copies it


class ServiceBrokeOff(Problem):
    """The service took the request and closed the connection without an answer."""

    status = 502
    title = "Служба оборвала соединение, не ответив"


class ServiceTimedOut(Problem):
    """The service took the request and stayed silent for too long."""

    status = 504
    title = "Служба не ответила вовремя"


class BodyTooLarge(Problem):
    """The body is larger than its address takes; told as soon as it is known."""

    status = 413
    title = "Тело запроса слишком большое"


class BodyStalled(Problem):
    """The client stopped sending in the middle of its body."""

    status = 408
    title = "Передача тела запроса остановилась"


class AmbiguousAuthorization(Problem):
    """Two `Authorization` headers: which of them counts must not depend on who reads."""

    status = 400
    title = "В запросе несколько заголовков Authorization"


class MalformedHeaders(Problem):
    """Headers that two servers could read differently."""

    status = 400
    title = "Заголовки запроса составлены неверно"


class TooManyRequests(Problem):
    """This caller or source asks more often than its rate allows."""

    status = 429
    title = "Слишком много запросов"


class TooManyAtOnce(Problem):
    """This caller or source waits for too many answers at the same time."""

    status = 429
    title = "Слишком много одновременных запросов"


class TunnelRefused(Problem):
    """CONNECT asks for a tunnel, which no address here is."""

    status = 405
    title = "Метод не поддерживается для этого адреса"
    headers = {"Allow": "GET, POST, PUT, PATCH, DELETE"}  # noqa: RUF012  read only; an instance copies it
