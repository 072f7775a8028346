"""What travels about regions and municipalities."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from services.kit.http import In, Out
from services.kit.inputs import VISIBLE_TEXT, Id
from services.registry import identifiers
from services.registry.territory.terms import MunicipalityKind

__all__ = [
    "MunicipalityIn",
    "MunicipalityOut",
    "MunicipalityPatch",
    "RegionIn",
    "RegionOut",
]


Name = Annotated[
    str,
    Field(
        max_length=200,
        pattern=VISIBLE_TEXT,
        description="Наименование",
        examples=["Велижский район"],
    ),
]
Code = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Za-z-]{1,20}$",
        description="Код МСУ/АТЕ в РИС ГИА",
        examples=["101"],
    ),
]
Oktmo = Annotated[
    str | None,
    Field(
        max_length=20,
        description="ОКТМО, 8 или 11 цифр; контрольное число проверяется и отбрасывается",
        examples=["66603000"],
    ),
    AfterValidator(lambda value: value and identifiers.oktmo(value)),
]


class RegionIn(In):
    """A new region."""

    code: str = Field(
        pattern=r"^[0-9]{2,3}$", description="Код субъекта РФ (РИС ГИА REGION)", examples=["67"]
    )
    name: str = Field(
        max_length=200,
        pattern=VISIBLE_TEXT,
        description="Наименование",
        examples=["Смоленская область"],
    )
    oktmo_prefix: str | None = Field(
        default=None,
        pattern=r"^[0-9]{2}$",
        description="Первые две цифры ОКТМО региона; если указаны, ОКТМО муниципалитетов и школ с них начинается",
        examples=["66"],
    )


class RegionOut(RegionIn):
    """A region."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: int = Field(description="Номер региона в Опоре, один во всех сервисах", examples=[1])
    version: int = Field(description="Версия", examples=[1])


class MunicipalityIn(In):
    """A new municipality of the caller's region."""

    region_id: Id | None = Field(
        default=None,
        description="Регион; не указано: регион вызывающего",
        examples=[1],
    )
    code: Code
    name: Name
    kind: MunicipalityKind = Field(
        description="Вид муниципального образования", examples=["district"]
    )
    oktmo: Oktmo = None


class MunicipalityPatch(In):
    """What changes about a municipality; absent fields stay as they are."""

    code: Code | None = Field(default=None, description="Код МСУ/АТЕ в РИС ГИА", examples=["101"])
    name: Name | None = Field(
        default=None, description="Наименование", examples=["Велижский район"]
    )
    kind: MunicipalityKind | None = Field(default=None, description="Вид", examples=["okrug"])
    oktmo: Oktmo = None


class MunicipalityOut(Out):
    """A municipality."""

    id: int = Field(description="Номер муниципалитета в Опоре, один во всех сервисах", examples=[3])
    region_id: int = Field(description="Регион", examples=[1])
    code: Code
    name: Name
    kind: MunicipalityKind = Field(description="Вид", examples=["district"])
    oktmo: Oktmo
    version: int = Field(description="Версия для If-Match", examples=[1])
