"""Where the server may be sent by a phone's word: to push services, over https, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.notify.push_hosts import KNOWN_HOSTS, PushHosts, is_public
from server.notify.vapid import VapidKey, are_keys
from tests.fakes.push_service import FakePushService

HOSTS = PushHosts(["push.acme.example:8443", "*.ntfy.example"])


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc:APA91b", "fcm.googleapis.com"),
        ("https://fcm.googleapis.com:443/fcm/send/abc", "fcm.googleapis.com"),
        ("https://updates.push.services.mozilla.com/wpush/v2/gAAA", "updates.push.services.mozilla.com"),
        ("https://web.push.apple.com/QGx", "*.push.apple.com"),
        ("https://wns2-par02p.notify.windows.com/w/?token=BQYA%2f", "*.notify.windows.com"),
        ("https://push.acme.example:8443/up/1", "push.acme.example:8443"),
        ("https://a.b.ntfy.example/up", "*.ntfy.example"),
    ],
)
def test_the_push_services_of_browsers_and_the_operators_own_are_known(address, service):
    assert HOSTS.service_of(address) == service


@pytest.mark.parametrize(
    "address",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/x",
        "https://user:pass@fcm.googleapis.com/x",
        "https://evil.example#@fcm.googleapis.com/x",
        "https://evil.example\\@fcm.googleapis.com/x",
        "https://push.apple.com/x",
        "https://evilpush.apple.com/x",
        "https://push.acme.example/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://localhost/x",
        "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com/x\r\nHost: evil",
        "https://fcm.googleapis.com/ü",
        "https://FCM.googleapis.com/x",
        "https://fcm.googleapis.com./x",
        "//fcm.googleapis.com/x",
        "file:///etc/passwd",
        "",
        "https://fcm.googleapis.com/" + "x" * 1000,
    ],
)
def test_nothing_else_is(address):
    assert HOSTS.service_of(address) is None


@given(st.text(max_size=60))
def test_whatever_is_put_between_the_host_leads_nowhere_else(text):
    found = HOSTS.service_of(f"https://{text}.googleapis.com/x")
    assert found in {None, "fcm.googleapis.com"}
    assert (found is not None) == (text == "fcm")


@pytest.mark.parametrize("host", ["https://push.example", "push example", "*", "*.*.example", "a/b", ""])
def test_a_host_that_is_none_is_refused_at_start(host):
    with pytest.raises(ValueError, match="is no host"):
        PushHosts([host])


def test_the_browsers_own_are_always_among_them():
    assert all(PushHosts().service_of(f"https://{host.replace('*', 'a')}/x") == host for host in KNOWN_HOSTS)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - which is refused
        ("10.0.0.1", False),
        ("172.16.5.4", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:0a00:0001::", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::101:101", True),
        ("ff02::1", False),
    ],
)
def test_an_address_is_public_or_not_however_it_is_wrapped(address, public):
    assert is_public(address) is public


def test_keys_are_such_that_something_can_be_encrypted_for_them():
    it = FakePushService(VapidKey(VapidKey.make()).public).subscribe()
    assert are_keys(it.p256dh, it.auth)
    assert are_keys(it.p256dh + "=", it.auth + "==")
    for p256dh, auth in [
        (it.auth, it.p256dh),
        (it.p256dh[:-4], it.auth),
        ("B" + "A" * 86, it.auth),
        (it.p256dh, it.auth[:-2]),
        (it.p256dh, ""),
        ("ü" * 87, it.auth),
    ]:
        assert not are_keys(p256dh, auth)


def test_a_key_of_another_kind_is_no_vapid_key():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    other = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for wrong in (other.decode(), "-----BEGIN PRIVATE KEY-----", ""):
        with pytest.raises(ValueError, match=r".+"):
            VapidKey(wrong)
