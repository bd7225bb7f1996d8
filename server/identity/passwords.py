"""Password hashing: argon2id with the cost OWASP asks for, which is a sixth of the library's default."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from server.identity.errors import PasswordTooWeak

MIN_LENGTH = 12
MAX_LENGTH = 200

_hasher = PasswordHash([Argon2Hasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)])
# Bounded, so that a flood of logins can't take the processor from everybody else.
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")
# Verified when there is no such account: knowing an address must not be visible in the time an answer takes.
_NOBODY = _hasher.hash("nobody has this password")
_COMMON = {"password", "callout", "qwerty", "letmein", "welcome", "iloveyou", "administrator", "123456789012"}


async def hash_password(password: str) -> str:
    """Raises PasswordTooWeak."""
    folded = password.casefold().rstrip("0123456789!.")
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH or folded in _COMMON or len(set(password)) < 5:  # noqa: PLR2004
        raise PasswordTooWeak
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, password)


async def verify(password: str, stored: str | None) -> bool:
    right = await asyncio.get_running_loop().run_in_executor(_pool, _hasher.verify, password, stored or _NOBODY)
    return right and stored is not None
