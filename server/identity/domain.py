"""People, roles and what each role may do. The table `PERMISSIONS_OF` is read by code, the API and the pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    SERVICE_AGENT = "service_agent"
    DISPATCHER = "dispatcher"
    ENGINEER = "engineer"
    PARTNER_ENGINEER = "partner_engineer"
    TEAM_LEAD = "team_lead"
    SERVICE_MANAGER = "service_manager"
    WAREHOUSE_CLERK = "warehouse_clerk"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_WRITE = "customers.write"
    ORDERS_READ = "orders.read"  # every order of the organisation; one's own need no permission
    ORDERS_CREATE = "orders.create"
    ORDERS_TRIAGE = "orders.triage"
    ORDERS_CLOSE = "orders.close"
    VISITS_DISPATCH = "visits.dispatch"
    VISITS_PERFORM = "visits.perform"
    POSITIONS_READ = "positions.read"
    STOCK_READ = "stock.read"
    STOCK_MOVE = "stock.move"
    REPORTS_READ = "reports.read"
    PEOPLE_READ = "people.read"
    PEOPLE_MANAGE = "people.manage"
    DEVICES_MANAGE = "devices.manage"
    AUDIT_READ = "audit.read"
    SETTINGS_MANAGE = "settings.manage"


_P = Permission
_OFFICE = frozenset({_P.CUSTOMERS_READ, _P.ORDERS_READ, _P.ORDERS_CREATE, _P.PEOPLE_READ, _P.STOCK_READ})
_PLANNING = _OFFICE | {_P.ORDERS_TRIAGE, _P.VISITS_DISPATCH, _P.POSITIONS_READ, _P.CUSTOMERS_WRITE}

PERMISSIONS_OF: Mapping[Role, frozenset[Permission]] = {
    Role.SERVICE_AGENT: _OFFICE | {_P.CUSTOMERS_WRITE, _P.ORDERS_TRIAGE},
    Role.DISPATCHER: _PLANNING | {_P.ORDERS_CLOSE, _P.REPORTS_READ},
    Role.ENGINEER: frozenset({_P.VISITS_PERFORM, _P.ORDERS_CREATE}),
    Role.PARTNER_ENGINEER: frozenset({_P.VISITS_PERFORM}),
    Role.TEAM_LEAD: _PLANNING | {_P.ORDERS_CLOSE, _P.REPORTS_READ, _P.VISITS_PERFORM},
    Role.SERVICE_MANAGER: _PLANNING | {_P.ORDERS_CLOSE, _P.REPORTS_READ, _P.DEVICES_MANAGE, _P.AUDIT_READ},
    Role.WAREHOUSE_CLERK: frozenset({_P.STOCK_READ, _P.STOCK_MOVE, _P.PEOPLE_READ}),
    Role.AUDITOR: frozenset(
        {_P.CUSTOMERS_READ, _P.ORDERS_READ, _P.STOCK_READ, _P.REPORTS_READ, _P.PEOPLE_READ, _P.AUDIT_READ}
    ),
    Role.ADMINISTRATOR: frozenset(_P) - {_P.VISITS_PERFORM},
}


class Audience(StrEnum):
    """What a token may be used for: a browser's token opens nothing on the phone's edge, nor the reverse."""

    WEB = "web"
    MOBILE = "mobile"
    INTEGRATION = "integration"


@dataclass(frozen=True)
class Actor:
    """Who acts: a person through a browser or a device, or an API key."""

    org: UUID
    person: UUID
    name: str
    permissions: frozenset[Permission]
    audience: Audience
    language: str
    session: UUID | None = None
    device: UUID | None = None

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


def permissions_of(roles: list[str]) -> frozenset[Permission]:
    return frozenset().union(*(PERMISSIONS_OF[Role(role)] for role in roles))


class Standing(StrEnum):
    """Whether a device may still take part, and if not, why."""

    GOOD = "good"
    REVOKED = "revoked"
    DISABLED = "disabled"  # its person's account

    @staticmethod
    def of(*, active: bool, revoked: bool) -> "Standing":
        if revoked:
            return Standing.REVOKED
        return Standing.GOOD if active else Standing.DISABLED


class RevokeReason(StrEnum):
    LOST = "lost"
    STOLEN = "stolen"
    LEFT = "left"
    REPLACED = "replaced"


@dataclass(frozen=True)
class Rescuer:
    """A device known by its own token, however old: it may hand things in and is told nothing."""

    org: UUID
    person: UUID
    device: UUID
    standing: Standing
