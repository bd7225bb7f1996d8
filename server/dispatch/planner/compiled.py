"""How the planner's inner loops are compiled and kept.

numba keeps machine code by the file a function stands in, and doesn't notice when a function that it calls, in another
file, has changed. So the folder it is kept in is named after the text of all of them.
"""

import hashlib
import os
from pathlib import Path

import numba

_HERE = Path(__file__).parent


def _folder() -> Path:
    text = hashlib.sha256(b"".join(it.read_bytes() for it in sorted(_HERE.glob("*.py")))).hexdigest()[:16]
    beside = _HERE / "__pycache__"
    if os.access(beside if beside.exists() else _HERE, os.W_OK):
        return beside / f"compiled-{text}"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "callout" / f"compiled-{text}"


numba.config.CACHE_DIR = str(_folder())  # type: ignore[attr-defined] # set on the module by numba itself

compiled = numba.njit(cache=True, nogil=True)
# Calls hand over dozens of arrays: what the search does many times a step is made part of its caller.
inlined = numba.njit(nogil=True, forceinline=True)
