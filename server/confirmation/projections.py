"""What a phone sees of a confirmation: that it is there. The drawing stays on the server."""

from server.sync.registry import Registry

SIGNATURE = 8
SUPERSEDED = 45

_SIGNATURE = """
    select g.id, jsonb_build_object(
        'work_order_id', g.work_order_id, 'signer_name', g.signer_name, 'rating', g.rating, 'at', g.at,
        'ending', g.ending) as d
    from signature g where g.id = any(%(ids)s)
"""

_SUPERSEDED = """
    select s.id, 1 as ver, jsonb_build_object(
        'signature_id', s.signature_id, 'work_order_id', s.work_order_id, 'changed', s.changed, 'at', s.at) as d
    from signature_superseded s where s.id = any(%(ids)s)
"""


def register(registry: Registry) -> None:
    registry.projection(SIGNATURE, "signature", _SIGNATURE)
    registry.projection(SUPERSEDED, "signature_superseded", _SUPERSEDED)
