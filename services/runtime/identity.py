"""The development identity provider: signed, short-lived statements of who calls.

Every call carries one in its metadata, and only the holder of the home's key can make one. A hospital's own
identity provider takes the place of `sign` and `verify`; nothing else changes.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

import jwt

from services.runtime.clock import now
from services.runtime.context import Actor
from services.runtime.errors import Unauthenticated

_ALGORITHM = "HS256"
_ISSUER = "handrail-development"
LIFETIME = timedelta(hours=1)
_LEEWAY_SECONDS = 30


def sign(actor: Actor, key: str) -> str:
    """Return a token, good for `LIFETIME`, that says `actor` is calling."""
    issued = now()
    claims = {
        "iss": _ISSUER,
        "sub": actor.subject,
        "role": actor.role,
        "team": actor.team,
        "iat": issued,
        "exp": issued + LIFETIME,
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


def verify(token: str, key: str) -> Actor:
    """Return the actor that a token speaks for.

    Raises:
        Unauthenticated: the token is missing, expired, malformed or signed with another key.
    """
    actor, expires_at = _read(token, key)
    if expires_at < now().timestamp() - _LEEWAY_SECONDS:
        raise _not_believed()
    return actor


def _not_believed() -> Unauthenticated:
    return Unauthenticated("Handrail could not tell who is calling. Sign in again and repeat the request.")


@lru_cache(maxsize=1024)
def _read(token: str, key: str) -> tuple[Actor, float]:
    """Read a token once; callers use one for many calls. It is looked at again for its age each time."""
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            issuer=_ISSUER,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["sub", "exp"]},
        )
        actor = Actor(subject=str(claims["sub"]), role=str(claims["role"]), team=str(claims.get("team", "")))
        return actor, float(claims["exp"])
    except (jwt.InvalidTokenError, KeyError) as error:
        raise _not_believed() from error
