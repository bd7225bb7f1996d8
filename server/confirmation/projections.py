"""What a phone sees of a confirmation: that it is there. The drawing stays on the server."""

from server.sync.registry import Registry

SIGNATURE = 8

_SIGNATURE = """
    select g.id, 1 as ver, jsonb_build_object(
        'work_order_id', g.work_order_id, 'signer_name', g.signer_name, 'rating', g.rating, 'at', g.at) as d
    from signature g where g.id = any(%(ids)s)
"""


def register(registry: Registry) -> None:
    registry.projection(SIGNATURE, "signature", _SIGNATURE)
