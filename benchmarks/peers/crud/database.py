"""The database, and who is asking."""

import hashlib
import os
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.peers.crud.tables import Audit, User, now

SECRET = "a secret of the benchmark, long enough for HS256"
LIFETIME = timedelta(hours=1)
POOL = 32
"""Connections: the fastest of 16, 32 and 64 on 2 cores."""

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=POOL, max_overflow=0)
_sessions = async_sessionmaker(engine, expire_on_commit=False)


async def open_session() -> AsyncGenerator[AsyncSession]:
    """Yield a session of one request."""
    async with _sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]
_bearer = HTTPBearer()


async def who_asks(
    session: Session, given: Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]
) -> User:
    """Return the user of the access token, who must still be active."""
    try:
        claims = jwt.decode(given.credentials, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "log in again") from error
    user = await session.get(User, UUID(claims["sub"]))
    if user is None or not user.active:
        raise HTTPException(401, "log in again")
    return user


Caller = Annotated[User, Depends(who_asks)]


def token_of(user: User) -> str:
    """Return an access token."""
    return jwt.encode({"sub": str(user.id), "exp": now() + LIFETIME}, SECRET, algorithm="HS256")


def hashed(password: str, salt: bytes) -> bytes:
    """Return a password as it is stored."""
    return salt + hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def record(
    session: AsyncSession, request: Request, user: User, thing: UUID, action: str, **data: str
) -> None:
    """Add a row of the audit log to the transaction of *session*."""
    session.add(
        Audit(
            organization_id=user.organization_id,
            actor_id=user.id,
            thing_id=thing,
            action=action,
            data=data,
            ip=request.client.host if request.client else None,
            user_agent=request.headers.get("user-agent"),
        )
    )
