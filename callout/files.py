"""Where files lie and what keeps them, by the settings."""

from pathlib import PurePosixPath
from urllib.parse import urlsplit

from callout.settings import Settings
from server.confirmation import references as confirmation
from server.media import references as media
from server.media.domain import FileRules
from server.media.s3 import S3Place, S3Store
from server.media.store import BlobStore, DiskStore
from server.sync import references as sync
from server.workorders import references as workorders

# Every place that refers to a file. What is missing here is removed after 30 days: a test looks for such columns.
REFERENCES = (
    media.PREVIEWS,
    workorders.PHOTOS,
    confirmation.REPORTS,
    confirmation.EVIDENCE,
    sync.UNDER_REVIEW,
    sync.UNREADABLE,
)


def blob_store(settings: Settings) -> BlobStore:
    """The disk, or the bucket that `CALLOUT_BLOB_STORE` names."""
    if not settings.blob_store:
        return DiskStore(settings.state_dir / "blobs")
    url = urlsplit(settings.blob_store)
    return S3Store(
        S3Place(
            bucket=url.netloc,
            prefix=str(PurePosixPath(url.path)).strip("/."),
            endpoint=settings.s3_endpoint or None,
            region=settings.s3_region,
            key_id=settings.s3_key_id.get_secret_value() if settings.s3_key_id else None,
            secret_key=settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else None,
        )
    )


def file_rules(settings: Settings) -> FileRules:
    return FileRules(settings.device_bytes_a_day, settings.organisation_bytes, REFERENCES)
