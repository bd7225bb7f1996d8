"""What the server pushes over, by the settings and the keys it keeps."""

import json
from collections.abc import Mapping

from callout.settings import Settings, kept_secret
from server.core.clock import Clock
from server.core.logging import logger
from server.notify.channels import PushChannel
from server.notify.domain import PushKind
from server.notify.endpoints import PushOffer
from server.notify.push_hosts import PushHosts
from server.notify.vapid import VapidKey

log = logger(__name__)


def push_offer(settings: Settings) -> PushOffer:
    """What phones are told about it."""
    key = _vapid_key(settings)
    return PushOffer(
        fcm=settings.fcm_account is not None,
        vapid_public_key=key.public if key else None,
        hosts=PushHosts(settings.more_push_hosts),
    )


def push_channels(settings: Settings, wall: Clock) -> Mapping[PushKind, PushChannel]:
    """The channels a worker pushes over. Their client libraries are heavy, and only a worker needs them."""
    channels: dict[PushKind, PushChannel] = {}
    if (key := _vapid_key(settings)) is not None:
        from server.notify.webpush import WebPush

        hosts = PushHosts(settings.more_push_hosts)
        channels[PushKind.WEBPUSH] = WebPush(key, settings.push_contact, hosts, wall)
    if settings.fcm_account is not None:
        from server.notify.fcm import Fcm

        channels[PushKind.FCM] = Fcm(json.loads(settings.fcm_account.read_text()), wall, url=settings.fcm_url)
    return channels


def _vapid_key(settings: Settings) -> VapidKey | None:
    """The given key, or one made at first use; none where nothing can be kept."""
    if settings.vapid_key is not None:
        return VapidKey(settings.vapid_key.get_secret_value())
    try:
        return VapidKey(kept_secret(settings.state_dir / "secrets" / "vapid.pem", VapidKey.make))
    except OSError as unkept:
        log.warning("no Web Push: its key can't be kept", error=type(unkept).__name__)
        return None
