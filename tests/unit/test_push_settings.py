"""What the server pushes over is said in settings, and a wrong one ends the start with a sentence."""

import json

import pytest
from pydantic import ValidationError

from callout.pushing import push_channels, push_offer
from callout.settings import Settings
from server.core.clock import SystemClock
from server.notify.domain import PushKind
from server.notify.vapid import VapidKey


def test_with_nothing_set_there_is_web_push_with_a_key_that_stays(tmp_path):
    settings = Settings(state_dir=tmp_path)
    offer = push_offer(settings)
    assert offer.kinds == [PushKind.WEBPUSH]
    assert push_offer(settings).vapid_public_key == offer.vapid_public_key
    assert set(push_channels(settings, SystemClock())) == {PushKind.WEBPUSH}
    assert (tmp_path / "secrets" / "vapid.pem").stat().st_mode & 0o077 == 0


def test_a_key_that_is_given_is_used(tmp_path):
    pem = VapidKey.make()
    offer = push_offer(Settings(state_dir=tmp_path, vapid_key=pem))
    assert offer.vapid_public_key == VapidKey(pem).public
    assert not (tmp_path / "secrets").exists()


def test_where_nothing_can_be_kept_there_is_no_web_push(tmp_path):
    (tmp_path / "secrets").write_text("in the way")
    settings = Settings(state_dir=tmp_path)
    offer = push_offer(settings)
    assert (offer.kinds, offer.vapid_public_key) == ([], None)
    assert push_channels(settings, SystemClock()) == {}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"fcm_url": "http://fcm.googleapis.com"}, "needs https"),
        ({"fcm_url": "https://relay.example/path"}, "needs https"),
        ({"push_hosts": "push.example, https://other.example"}, "is no host"),
        ({"push_contact": "ops@example.com"}, "reads mailto:"),
        ({"vapid_key": "-----BEGIN NOTHING-----"}, "PEM"),
    ],
)
def test_settings_that_can_t_be_right_are_refused(wrong, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Settings(**wrong)


@pytest.mark.parametrize("content", ["", "{}", json.dumps({"type": "authorized_user"}), "[]", None])
def test_a_file_that_is_no_service_account_is_refused(tmp_path, content):
    account = tmp_path / "account.json"
    if content is not None:
        account.write_text(content)
    with pytest.raises(ValidationError, match="is no service account"):
        Settings(fcm_account=account)


def test_hosts_are_listed_with_commas():
    assert Settings(push_hosts="push.example:8443, *.ntfy.example").more_push_hosts == [
        "push.example:8443",
        "*.ntfy.example",
    ]
