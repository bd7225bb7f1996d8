"""After a restore: which phones have not been in touch, so that somebody asks for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row, dict_row

# A pull leaves a cookie of the epoch it was answered in; nothing else proves that a phone has heard of the restore.
_UNSEEN = """
select o.slug as organisation, p.name as person, d.name as device, d.last_contact_at, h.unsent_count as unsent
from device d
join organisation o on o.id = d.org_id
join person p on (p.org_id, p.id) = (d.org_id, d.person_id)
left join device_health h on (h.org_id, h.device_id) = (d.org_id, d.id)
where d.revoked_at is null
  and not exists (
    select from sync_device_state s cross join sync_epoch e
    where (s.org_id, s.device_id) = (d.org_id, d.id) and s.epoch = e.epoch)
order by o.slug, d.last_contact_at desc
"""
_PHONES = "select count(*) as phones from device where revoked_at is null"


@dataclass(frozen=True)
class Unseen:
    """`unsent` is what the phone last said it held, if it ever said."""

    organisation: str
    person: str
    device: str
    last_contact_at: datetime
    unsent: int | None

    def __str__(self) -> str:
        held = "" if self.unsent is None else f", {self.unsent} unsent then"
        heard = f"last heard {self.last_contact_at:%Y-%m-%d %H:%M} UTC"
        return f"{self.organisation}: {self.person}, {self.device}, {heard}{held}"


@dataclass(frozen=True)
class Roll:
    """Who is still missing since the epoch began."""

    epoch: int
    since: datetime
    phones: int
    unseen: Sequence[Unseen]

    def __str__(self) -> str:
        head = f"Epoch {self.epoch}, since {self.since:%Y-%m-%d %H:%M} UTC: "
        if not self.unseen:
            return f"{head}all {self.phones} phones have been in touch."
        lines = "\n".join(f"  {one}" for one in self.unseen)
        return f"{head}{len(self.unseen)} of {self.phones} phones have not been in touch.\n{lines}"


def call_the_roll(owner_url: str) -> Roll:
    """Ask over a superuser's connection: this looks into every organisation."""
    with psycopg.connect(owner_url, row_factory=dict_row, options="-c timezone=UTC") as connection:
        epoch = connection.execute("select epoch, since from sync_epoch").fetchone() or {}
        phones = connection.execute(_PHONES).fetchone() or {}
        with connection.cursor(row_factory=class_row(Unseen)) as cursor:
            return Roll(epoch["epoch"], epoch["since"], phones["phones"], cursor.execute(_UNSEEN).fetchall())
