"""How a second factor is asked for and refused."""

from services.kit.problems import Problem, ValidationFailed

__all__ = [
    "CodeWrong",
    "EnrolmentNotBegun",
    "SecondFactorAlreadyOn",
    "SecondFactorDemanded",
    "SecondFactorEnrolmentRequired",
    "SecondFactorOff",
    "SecondFactorRequired",
    "TicketInvalid",
]


class SecondFactorRequired(Problem):
    """The password is right and a code is needed as well."""

    status = 401
    title = "Нужен одноразовый код"
    headers = {  # noqa: RUF012  read only; an instance copies it
        "WWW-Authenticate": 'Bearer realm="opora", error="insufficient_user_authentication"'
    }

    def __init__(self) -> None:
        super().__init__(
            "Вход под этой учётной записью требует код из приложения.",
            hint="Повторите запрос с полем otp: код из приложения или резервный код",
            error="insufficient_user_authentication",
        )


class SecondFactorEnrolmentRequired(Problem):
    """The role demands a second factor and the person has none yet; brings the ticket to set it up."""

    status = 403
    title = "Сначала настройте второй фактор"

    def __init__(self, ticket: str, seconds: int) -> None:
        super().__init__(
            "Для вашей роли вход возможен только с одноразовым кодом.",
            hint="Передайте enrolment_ticket в POST /api/auth/second-factor/enrolment",
            error="interaction_required",
            enrolment_ticket=ticket,
            expires_in=seconds,
        )


class TicketInvalid(Problem):
    """There is no such ticket, or it was used, replaced or has expired; which is not told."""

    status = 400
    title = "Билет не действует"


class SecondFactorAlreadyOn(Problem):
    """A factor is in force; another takes its place only after it is removed."""

    status = 409
    title = "Второй фактор уже включён"


class SecondFactorOff(Problem):
    """There is no factor in force."""

    status = 409
    title = "Второй фактор не включён"


class SecondFactorDemanded(Problem):
    """The role demands a factor, so the person cannot do without."""

    status = 409
    title = "Вашей роли нельзя без второго фактора"


class EnrolmentNotBegun(Problem):
    """There is no secret to prove a code of."""

    status = 409
    title = "Настройка второго фактора не начата"


class CodeWrong(ValidationFailed):
    """The code is nobody's, of another time, or was used before; which is not told."""

    title = "Код не подошёл"

    def __init__(self) -> None:
        super().__init__(
            "Код неверен, устарел или уже использован.",
            hint="Дождитесь следующего кода и проверьте, что часы телефона идут точно",
            errors=[{"pointer": "/code", "code": "wrong", "detail": "Введите другой код"}],
        )
