"""What the server pushes over, by the settings and the keys it keeps."""

import json
from collections.abc import Mapping

from callout.settings import Settings, kept_secret
from server.core.clock import Clock
from server.notify.channels import PushChannel
from server.notify.domain import PushKind
from server.notify.endpoints import PushOffer
from server.notify.push_hosts import PushHosts
from server.notify.vapid import VapidKey


def push_offer(settings: Settings) -> PushOffer:
    """What phones are told about it."""
    return PushOffer(
        fcm=settings.fcm_account is not None,
        vapid_public_key=_vapid_key(settings).public,
        hosts=PushHosts(settings.more_push_hosts),
    )


def push_channels(settings: Settings, wall: Clock) -> Mapping[PushKind, PushChannel]:
    """The channels a worker pushes over. Their client libraries are heavy, and only a worker needs them."""
    from server.notify.webpush import WebPush

    channels: dict[PushKind, PushChannel] = {
        PushKind.WEBPUSH: WebPush(
            _vapid_key(settings), settings.push_contact, PushHosts(settings.more_push_hosts), wall
        )
    }
    if settings.fcm_account is not None:
        from server.notify.fcm import Fcm

        channels[PushKind.FCM] = Fcm(json.loads(settings.fcm_account.read_text()), wall, url=settings.fcm_url)
    return channels


def _vapid_key(settings: Settings) -> VapidKey:
    if settings.vapid_key is not None:
        return VapidKey(settings.vapid_key.get_secret_value())
    return VapidKey(kept_secret(settings.state_dir / "secrets" / "vapid.pem", VapidKey.make))
