"""What travels about methodologies."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, field_validator, model_validator
from pydantic_core import CoreSchema, core_schema

from services.indicators.methodologies import packages
from services.indicators.methodologies.document import Methodology, PermittedUse
from services.indicators.methodologies.findings import Severity
from services.indicators.methodologies.nesting import DEEPEST_DOCUMENT, is_shallow
from services.indicators.methodologies.shipped import shipped_methodologies
from services.kit.http import In, Out
from services.kit.inputs import Id

__all__ = [
    "ComparisonOut",
    "LintIn",
    "LintOut",
    "MethodologyFindingOut",
    "MethodologyVersionIn",
    "MethodologyVersionOut",
    "MethodologyVersionRow",
    "OriginOut",
    "PackageIn",
    "PackageOut",
    "ShippedOut",
]

_EXAMPLE = "smolensk-nro-fnsu"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class _AsSent:
    """Told in the contract as what it annotates, and taken as whatever was sent."""

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        told = handler(source)
        # Wrapped: pydantic would write the whole schema out in place of a bare reference.
        return core_schema.any_schema(
            metadata={"pydantic_js_functions": [lambda _, write: {"allOf": [write(told)]}]}
        )


WrittenDocument = Annotated[Methodology, _AsSent()]
"""A document as it was sent: the linter reads it, so that everything wrong is told with its place."""


class MethodologyFindingOut(Out):
    """A finding of the linter."""

    code: str = Field(description="Машинный код замечания", examples=["no-order"])
    pointer: str = Field(
        description="Место в документе (JSON Pointer); пусто — документ целиком",
        examples=["/order"],
    )
    severity: Severity = Field(description="Вес замечания", examples=["warning"])
    text: str = Field(
        description="Что замечено", examples=["Не указан приказ, утвердивший методику"]
    )
    fix: str = Field(description="Как исправить", examples=["Укажите номер и дату приказа"])


class LintIn(In):
    """A document to be looked at; nothing is stored."""

    document: WrittenDocument = Field(description="Документ методики, возможно ещё с ошибками")
    replaces_id: Id | None = Field(
        default=None,
        description="Версия, которую документ заменил бы с начала своего действия",
        examples=[None],
    )


class LintOut(Out):
    """What the linter says."""

    is_addable: bool = Field(
        description="true: ошибок нет, документ можно добавить версией", examples=[True]
    )
    errors: int = Field(description="Ошибок", examples=[0])
    warnings: int = Field(description="Предупреждений", examples=[1])
    findings: list[MethodologyFindingOut] = Field(description="Замечания, сначала ошибки")


class MethodologyVersionIn(In):
    """A new version: a shipped document by its code, or a document of the region's own."""

    shipped: str | None = Field(
        default=None,
        max_length=40,
        description="Код поставляемой методики (см. GET /shipped-methodologies)",
        examples=[_EXAMPLE],
    )
    document: WrittenDocument | None = Field(
        default=None,
        description="Собственный документ методики целиком; указывается вместо shipped",
        examples=[None],
    )
    required_use: PermittedUse | None = Field(
        default=None,
        description="Для чего нужна версия; указанное здесь заменяет required_use документа: analysis "
        "принимает и процедуры, по которым списки публиковать нельзя",
        examples=[None],
    )
    replaces_id: Id | None = Field(
        default=None,
        description="Версия, которую эта заменяет: прежняя действует по день перед началом действия "
        "новой; null — никакую",
        examples=[None],
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.shipped is None) == (self.document is None):
            raise ValueError("Укажите либо shipped, либо document")
        return self


class OriginOut(Out):
    """Where a document came from."""

    kind: Literal["shipped", "own", "draft", "package"] = Field(
        description="shipped — из поставки; own — прислан целиком; draft — из черновика; package — из "
        "пакета",
        examples=["shipped"],
    )
    draft_id: int | None = Field(default=None, description="Номер черновика", examples=[None])
    region_code: str | None = Field(
        default=None, description="Код региона, из которого пакет", examples=["35"]
    )
    code: str | None = Field(default=None, description="Код методики там", examples=[_EXAMPLE])
    number: int | None = Field(default=None, description="Номер версии там", examples=[2])
    version_id: int | None = Field(
        default=None, description="Версия этого региона, с которой начат черновик", examples=[None]
    )


class MethodologyVersionRow(Out):
    """A version in the list."""

    id: int = Field(description="Номер версии методики", examples=[3])
    code: str = Field(description="Код методики", examples=[_EXAMPLE])
    number: int = Field(description="Порядковый номер версии внутри кода", examples=[1])
    title: str = Field(description="Название", examples=["Смоленская область: НРО и ФНСУ"])
    document_hash: str = Field(
        description="SHA-256 документа методики: одинаков у одинаковых документов",
        examples=[_HASH],
    )
    origin: OriginOut | None = Field(
        default=None, description="Откуда документ; null у версий, добавленных до этого учёта"
    )
    replaces_id: int | None = Field(
        default=None, description="Какую версию заменяет", examples=[None]
    )
    replaced_by_id: int | None = Field(
        default=None, description="Какой версией заменена", examples=[None]
    )
    in_force_from: date = Field(description="Первый день действия", examples=["2020-09-01"])
    in_force_to: date | None = Field(
        default=None,
        description="Последний день действия с учётом замены; null — бессрочно",
        examples=["2026-08-31"],
    )
    created_by: str = Field(description="Кто добавил", examples=["user:12"])
    created_at: datetime = Field(
        description="Когда добавлена (UTC)", examples=["2026-11-21T10:00:00Z"]
    )


class MethodologyVersionOut(MethodologyVersionRow):
    """A version with its document."""

    document: Methodology = Field(description="Документ методики")
    findings: list[MethodologyFindingOut] = Field(
        description="Замечания линтера в день добавления: предупреждения и советы"
    )
    version: int = Field(description="Версия записи (ETag); не меняется", examples=[1])


class ShippedOut(Out):
    """The methodologies that ship with Opora."""

    items: list[Methodology] = Field(description="Документы поставляемых методик")


class DocumentDifferenceOut(Out):
    """One difference between two documents."""

    pointer: str = Field(
        description="Место в документе (JSON Pointer); у убранного — место списка",
        examples=["/low_result/threshold"],
    )
    before: Any = Field(description="Было; null — не было", examples=["3/10"])
    after: Any = Field(description="Стало; null — нет", examples=["1/4"])
    text: str = Field(
        description="То же словами", examples=["порог низкого результата: 30 % → 25 %"]
    )


class ComparisonOut(Out):
    """How one version differs from another."""

    before_id: int = Field(description="С какой версией сравнивается", examples=[3])
    after_id: int = Field(description="Какая версия сравнивается", examples=[4])
    is_equal: bool = Field(description="true: документы одинаковы", examples=[False])
    differences: list[DocumentDifferenceOut] = Field(
        description="Различия по порядку полей документа"
    )


class PackageOrigin(In):
    """The version a package was made from."""

    region_code: str | None = Field(
        default=None, max_length=20, description="Код региона", examples=["35"]
    )
    code: str = Field(max_length=40, description="Код методики", examples=[_EXAMPLE])
    number: int = Field(ge=1, le=100_000, description="Номер версии", examples=[2])
    created_at: datetime = Field(
        description="Когда версия добавлена (UTC)", examples=["2026-11-21T10:00:00Z"]
    )


# A whole package: an example whose hashes are wrong would be refused. The contract cannot show nulls.
_PACKAGE = packages.make(
    document={
        field: value
        for field, value in shipped_methodologies()[_EXAMPLE].canonical().items()
        if value is not None
    },
    origin={"code": _EXAMPLE, "number": 2},
    findings=[],
)


class PackageIn(In):
    """A package as it was exported, byte for byte the same values."""

    # The hashes are of the values as sent: nothing may be stripped or read otherwise.
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)

    format: Literal["opora-methodology"] = Field(
        description="Формат пакета", examples=["opora-methodology"]
    )
    format_version: int = Field(ge=1, le=1000, description="Версия формата", examples=[1])
    document: dict[str, Any] = Field(
        description="Документ методики", examples=[_PACKAGE["document"]]
    )
    document_hash: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 документа",
        examples=[_PACKAGE["document_hash"]],
    )
    origin: dict[str, Any] = Field(
        description="Из какой версии сделан", examples=[_PACKAGE["origin"]]
    )
    findings: list[dict[str, Any]] = Field(
        max_length=1000, description="Замечания линтера у прежнего владельца", examples=[[]]
    )
    package_hash: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 пакета",
        examples=[_PACKAGE["package_hash"]],
    )

    @field_validator("document", "origin", "findings")
    @classmethod
    def _can_be_hashed(cls, content: Any) -> Any:
        if not is_shallow(content):
            raise ValueError(f"Вложено глубже {DEEPEST_DOCUMENT} уровней: в пакете такого нет")
        if not packages.is_writable(content):
            raise ValueError("Есть символы, которых нет в Юникоде: половина суррогатной пары")
        return content


class PackageOut(Out):
    """A version as it travels to another region."""

    format: Literal["opora-methodology"] = Field(
        description="Формат пакета", examples=["opora-methodology"]
    )
    format_version: int = Field(description="Версия формата", examples=[1])
    document: dict[str, Any] = Field(
        description="Документ методики в каноническом виде", examples=[{"code": _EXAMPLE}]
    )
    document_hash: str = Field(description="SHA-256 документа", examples=[_HASH])
    origin: PackageOrigin = Field(description="Из какой версии сделан")
    findings: list[MethodologyFindingOut] = Field(description="Замечания линтера в день добавления")
    package_hash: str = Field(
        description="SHA-256 остального пакета: показывает порчу в пути, не авторство",
        examples=[_HASH],
    )
