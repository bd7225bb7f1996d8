"""All declared tables in one place, for migrations and the drift check."""

import re

from sqlmodel import SQLModel

import server.audit.tables
import server.confirmation.tables
import server.core.tables
import server.customers.tables
import server.dispatch.learning.tables
import server.dispatch.live_day.tables
import server.dispatch.planning.tables
import server.dispatch.rules.tables
import server.dispatch.tables
import server.dispatch.travel_accuracy.tables
import server.geo.learning.tables
import server.geo.tables
import server.identity.tables
import server.inventory.tables
import server.media.tables
import server.notify.tables
import server.sync.tables
import server.workforce.tables
import server.workorders.tables  # noqa: F401 - imported for the tables they declare

METADATA = SQLModel.metadata

# Tables that belong to no organisation, each with its reason.
SHARED_TABLES = {
    "alembic_version": "the schema's own version",
    "spatial_ref_sys": "PostGIS reference data",
    "procrastinate_events": "the job queue; arguments hold ids only",
    "procrastinate_jobs": "the job queue; arguments hold ids only",
    "procrastinate_periodic_defers": "the job queue; arguments hold ids only",
    "procrastinate_workers": "the job queue; arguments hold ids only",
    "app_window": "dates announced to every phone before anybody signs in",
    "rate_limit": "how often something was tried; keys are hashes",
    "travel_learning": "roads are everybody's; a row holds figures and nothing of anybody's drives",
    "sync_epoch": "one number for the whole server, raised after a restore",
}

# Days of a track come and go while the product runs.
_PARTITION = re.compile(r"position_track_\d{8}")


def is_declared(name: str) -> bool:
    """Whether a table of the database should be one of METADATA."""
    return name not in SHARED_TABLES and not _PARTITION.fullmatch(name)
