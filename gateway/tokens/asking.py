"""Reading a token request: JSON, or the form and the Basic header that OAuth clients send.

Source: RFC 6749, 2.3.1 and 4.4.2.
"""

import base64
import binascii
import json
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from gateway.tokens.refusals import InvalidRequest, UnsupportedGrantType
from gateway.tokens.schemas import (
    ClientGrant,
    Grant,
    PasswordGrant,
    RefreshGrant,
    RevocationIn,
)

__all__ = ["GRANT_BODY", "REVOCATION_BODY", "asked_grant", "asked_revocation"]

_GRANT: TypeAdapter[Grant] = TypeAdapter(Grant)
_REVOCATION = TypeAdapter(RevocationIn)
_MOST_FIELDS = 10


async def asked_grant(request: Request) -> Grant:
    """Return what the caller offers for a token.

    Raises:
        UnsupportedGrantType: Not one of ours.
        InvalidRequest: Unreadable, incomplete, or with unknown fields.
    """
    fields = await _fields(request) | _basic(request)
    if fields.get("grant_type") not in ("password", "refresh_token", "client_credentials"):
        raise UnsupportedGrantType(
            "Укажите grant_type: password, refresh_token или client_credentials."
        )
    grant: Grant = _read(_GRANT, fields)
    if isinstance(grant, ClientGrant):
        _require_one_proof(grant)
    return grant


def _require_one_proof(grant: ClientGrant) -> None:
    has_secret = grant.client_id is not None and grant.client_secret is not None
    has_assertion = grant.client_assertion is not None and grant.client_assertion_type is not None
    is_half = (grant.client_assertion is None) != (grant.client_assertion_type is None)
    if is_half or has_secret == has_assertion or (has_assertion and grant.client_secret):
        raise InvalidRequest(
            "Передайте client_id и client_secret либо client_assertion и client_assertion_type,"
            " но не то и другое."
        )


async def asked_revocation(request: Request) -> RevocationIn:
    """Return the token that shall no longer hold.

    Raises:
        InvalidRequest: Unreadable, incomplete, or with unknown fields.
    """
    asked: RevocationIn = _read(_REVOCATION, await _fields(request))
    return asked


def _read(shape: TypeAdapter[Any], fields: dict[str, Any]) -> Any:
    try:
        return shape.validate_python(fields)
    except ValidationError as error:
        errors = [
            # The first part of the place only repeats the grant type.
            {
                "pointer": f"/{one['loc'][-1]}" if one["loc"] else "",
                "code": one["type"],
                "detail": "Проверьте это поле",
            }
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise InvalidRequest("Исправьте перечисленные поля.", errors=errors) from None


async def _fields(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    try:
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(
                body.decode(),
                keep_blank_values=True,
                strict_parsing=True,
                max_num_fields=_MOST_FIELDS,
            )
            if len(dict(pairs)) < len(pairs):
                raise InvalidRequest("Каждое поле указывается один раз.")
            return dict(pairs)
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("Передайте объект JSON или форму.") from error
    if not isinstance(fields, dict):
        raise InvalidRequest("Передайте объект JSON или форму.")
    return fields


def _basic(request: Request) -> dict[str, str]:
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        name, found, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("Заголовок Authorization: Basic не читается.") from error
    if not found:
        raise InvalidRequest("Заголовок Authorization: Basic не читается.")
    return {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)}


def _body(
    *shapes: type[PasswordGrant | RefreshGrant | ClientGrant | RevocationIn],
) -> dict[str, Any]:
    schemas = [shape.model_json_schema() for shape in shapes]
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    return {
        "requestBody": {
            "required": True,
            # Forms are taken too (RFC 6749), but of two kinds of body some generators make no
            # client that runs; who needs the form is an OAuth library that asks no contract.
            "content": {"application/json": {"schema": schema}},
        }
    }


GRANT_BODY = _body(PasswordGrant, RefreshGrant, ClientGrant)
"""What the contract says about the body of a token request, which is read by hand."""

REVOCATION_BODY = _body(RevocationIn)
