"""Packages: a document with its hash and its history, in one canonical form that travels.

The bytes of a package are the same for the same version, in any place: sorted keys, UTF-8, no spaces.
Two hashes guard it: of the document, by which versions are recognised everywhere, and of the package
as a whole. A hash shows a change on the way; it is no signature and names no author.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from services.kit.problems import Problem, ValidationFailed

__all__ = [
    "FORMAT",
    "PackageFormatUnknown",
    "canonical_bytes",
    "is_writable",
    "make",
    "refuse_tampered",
]

FORMAT = "opora-methodology"
FORMAT_VERSION = 1


class PackageFormatUnknown(Problem):
    """The package was written by a later release, whose format is not known here."""

    status = 409
    title = "Формат пакета новее, чем знает эта Опора"


def canonical_bytes(content: Mapping[str, Any]) -> bytes:
    """Write plain JSON values in the one canonical form."""
    written = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return written.encode()


def is_writable(content: Any) -> bool:
    """Whether JSON can be written at all: half of a surrogate pair has no bytes in UTF-8."""
    try:
        canonical_bytes(content)
    except UnicodeEncodeError:
        return False
    return True


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_bytes(content)).hexdigest()


def document_hash(document: Mapping[str, Any]) -> str:
    """Name a canonical document by its content: SHA-256, 64 hexadecimal digits."""
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def make(
    *, document: dict[str, Any], origin: dict[str, Any], findings: list[dict[str, Any]]
) -> dict[str, Any]:
    """Make the package of a version from its document, where it is from and what lint found."""
    package: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "document": document,
        "document_hash": document_hash(document),
        "origin": origin,
        "findings": findings,
    }
    return package | {"package_hash": _hash(package)}


def refuse_tampered(package: Mapping[str, Any]) -> None:
    """Refuse a package of a later format and one whose content is not what its hashes say.

    Raises:
        PackageFormatUnknown: The format is newer.
        ValidationFailed: A hash differs; `errors` says which.
    """
    if package["format_version"] > FORMAT_VERSION:
        raise PackageFormatUnknown(
            f"Пакет версии {package['format_version']}, здесь известна {FORMAT_VERSION}",
            hint="Обновите Опору или попросите пакет прежнего формата",
            known=FORMAT_VERSION,
        )
    whole = {field: value for field, value in package.items() if field != "package_hash"}
    wrong = []
    if document_hash(package["document"]) != package["document_hash"]:
        wrong.append(("/document_hash", "Документ не тот, что назван хешем"))
    if _hash(whole) != package["package_hash"]:
        wrong.append(("/package_hash", "Содержимое пакета изменено после его записи"))
    if wrong:
        raise ValidationFailed(
            "Пакет изменён по дороге",
            hint="Получите пакет заново: GET /methodology-versions/{id}/package",
            errors=[
                {"pointer": pointer, "code": "tampered", "detail": told} for pointer, told in wrong
            ],
        )
