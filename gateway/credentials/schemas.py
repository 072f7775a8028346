"""What travels when people set their passwords."""

from pydantic import Field, SecretStr

from gateway.accounts.schemas import NewPassword
from services.kit.http import In

__all__ = ["OwnPasswordIn", "RedemptionIn"]


class RedemptionIn(In):
    """An invitation's code and the password the person has chosen."""

    code: SecretStr = Field(
        min_length=1,
        max_length=200,
        description="Одноразовый код от администратора",
        examples=["mT0l8mK5Q1sTq8Yw3v1Zr7cBn2xHkLpDf6sJg9aUe0o"],
    )
    password: NewPassword


class OwnPasswordIn(In):
    """The password that holds and the one to come."""

    current_password: SecretStr = Field(
        min_length=1, max_length=200, description="Нынешний пароль", examples=["прежние-слова-42"]
    )
    new_password: NewPassword
