"""What is said when an external issuer cannot be asked, or does not vouch for the person."""

from services.kit.problems import Problem

__all__ = ["ExternalLoginRefused", "IssuerUnavailable"]


class IssuerUnavailable(Problem):
    """The issuer does not answer in time, or not as an issuer answers."""

    status = 503
    title = "Внешняя система входа временно недоступна"
    headers = {"Retry-After": "5"}  # noqa: RUF012  read only; an instance copies it


class ExternalLoginRefused(Problem):
    """The return from the issuer is not the continuation of this browser's login; why is not told."""

    status = 400
    title = "Вход через внешнюю систему не выполнен"

    def __init__(self) -> None:
        super().__init__(
            "Возврат из внешней системы не подтверждён, устарел или уже использован.",
            hint="Начните вход заново с этой же страницы.",
        )
