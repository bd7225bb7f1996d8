"""What a customer signed has changed since: said about the signature, never done to it."""

from uuid import UUID

from server.confirmation import queries
from server.confirmation.document import report_document
from server.confirmation.domain import Document, Language, Signature, changed_parts, content_hash, part_hashes
from server.core import events
from server.core.db import UnitOfWork


async def supersede_what_changed(uow: UnitOfWork, work_order_id: UUID, *, changed_by: UUID | None) -> int:
    """Compare what was signed with what stands now and answer how many signatures that makes old.

    Each is marked once, with the parts that read differently, and a new signature is asked for by an event.
    """
    found = 0
    documents: dict[Language, Document] = {}
    for signature in await queries.standing_signatures(uow, work_order_id):
        language = Language(signature.received["language"])
        if language not in documents:
            documents[language] = await report_document(uow, work_order_id, language)
        found += await _superseded(uow, signature, documents[language], changed_by)
    return found


async def _superseded(uow: UnitOfWork, signature: Signature, document: Document, changed_by: UUID | None) -> bool:
    stands = content_hash(document)
    if stands == signature.received["document_hash"]:
        return False
    # Packages of the first version kept one hash of the whole: that something changed is then all that is known.
    then = signature.received.get("parts")
    changed = changed_parts(then, part_hashes(document)) if then else []
    if not await queries.supersede(uow, signature, content_hash=stands, changed=changed, changed_by=changed_by):
        return False
    await events.append(
        uow,
        "signature.superseded",
        subject=("work_order", signature.work_order_id),
        actor=changed_by,
        payload={
            "work_order_id": str(signature.work_order_id),
            "signature_id": str(signature.id),
            "captured_by": str(signature.captured_by),
            "changed": changed,
        },
    )
    return True
