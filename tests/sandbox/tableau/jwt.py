"""The JSON Web Token of a connected app with direct trust, checked as Tableau checks it."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

from tests.sandbox import tableau

LONGEST_LIFE = timedelta(minutes=10)


class BadJwtError(Exception):
    """A token that Tableau refuses; `number` is the error number of its connected-app troubleshooting page."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(reason)
        self.number = number


@dataclasses.dataclass(frozen=True)
class Claims:
    """What a good token says: user name, unique id and access scopes."""

    subject: str
    identifier: str
    scopes: frozenset[str]


def read_jwt(token: str, now: datetime) -> Claims:
    """Verify signature, issuer, key id, audience and life of a token.

    Raises:
        BadJwtError: 126 for an unknown client id, 127 for an unknown secret id, 16 for all the rest.
    """
    header, claims, signed, signature = _taken_apart(token)
    if header.get("alg") != "HS256":
        raise BadJwtError(16, "the algorithm must be HS256")
    if claims.get("iss") != tableau.CONNECTED_APP_CLIENT_ID:
        raise BadJwtError(126, "no connected app has this client id (iss)")
    if header.get("iss", tableau.CONNECTED_APP_CLIENT_ID) != tableau.CONNECTED_APP_CLIENT_ID:
        raise BadJwtError(126, "no connected app has this client id (iss in the header)")
    if header.get("kid") != tableau.CONNECTED_APP_SECRET_ID:
        raise BadJwtError(127, "the connected app has no secret with this id (kid)")
    wanted = hmac.new(tableau.CONNECTED_APP_SECRET_VALUE.encode(), signed, hashlib.sha256).digest()
    if not hmac.compare_digest(wanted, signature):
        raise BadJwtError(16, "the signature does not match")
    if claims.get("aud") != "tableau":
        raise BadJwtError(16, "the audience (aud) must be tableau")
    _check_life(claims.get("exp"), now)
    return _claims(claims)


def _check_life(expiry: object, now: datetime) -> None:
    if not isinstance(expiry, int | float) or isinstance(expiry, bool):
        raise BadJwtError(16, "exp must be a number of seconds")
    if expiry <= now.timestamp():
        raise BadJwtError(16, "the token has expired")
    if expiry > (now + LONGEST_LIFE).timestamp():
        raise BadJwtError(16, "exp lies more than ten minutes ahead")


def _claims(claims: dict[str, Any]) -> Claims:
    subject, identifier, scopes = claims.get("sub"), claims.get("jti"), claims.get("scp")
    if not isinstance(subject, str) or not isinstance(identifier, str) or not identifier:
        raise BadJwtError(16, "sub and jti must be text")
    if not isinstance(scopes, list) or not scopes:
        raise BadJwtError(16, "scp must be a list of scopes")
    return Claims(subject, identifier, frozenset(str(scope) for scope in scopes))


def _taken_apart(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    parts = token.split(".")
    if len(parts) != 3:
        raise BadJwtError(16, "the token does not have three parts")
    try:
        header = json.loads(_decoded(parts[0]))
        claims = json.loads(_decoded(parts[1]))
        signature = _decoded(parts[2])
    except (binascii.Error, ValueError) as malformed:
        raise BadJwtError(16, "the token is not readable") from malformed
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise BadJwtError(16, "header and claims must be JSON objects")
    return header, claims, f"{parts[0]}.{parts[1]}".encode(), signature


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
