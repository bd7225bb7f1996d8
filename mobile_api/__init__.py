"""TEMPORARY while parts are being written: finds every module's `router`. The lead replaces this."""

import importlib
import pkgutil

ROUTERS = []
for _m in pkgutil.walk_packages(__path__, __name__ + "."):
    if not _m.ispkg:
        _mod = importlib.import_module(_m.name)
        if hasattr(_mod, "router"):
            ROUTERS.append(_mod.router)
