from server.core.errors import Kind, Problem


class PushAddressRefused(Problem):
    code = "push.address_refused"
    kind = Kind.REFUSED
    sentence = "This is no address of a push service this server may send to."


class PushKeysRefused(Problem):
    code = "push.keys_refused"
    kind = Kind.REFUSED
    sentence = "A Web Push subscription needs its keys p256dh and auth, as the browser gives them."


class PushNotOffered(Problem):
    code = "push.not_offered"
    kind = Kind.REFUSED
    sentence = "This server does not push over {push_kind}; the stream of hints always works."
