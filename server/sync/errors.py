"""Problems of the protocol; codes are spelled as docs/sync-protocol.md spells them."""

from server.core.errors import Kind, Problem


class SeqGap(Problem):
    code = "SEQ_GAP"
    kind = Kind.CONFLICT
    sentence = "Mutation {expected} was expected next; send again from there."


class StreamForked(Problem):
    code = "STREAM_FORKED"
    kind = Kind.CONFLICT
    sentence = "This stream holds something else at {seq}: the device was restored or cloned. Open a new stream."


class EpochChanged(Problem):
    code = "EPOCH_CHANGED"
    kind = Kind.GONE
    sentence = "The server was restored and knows this stream only up to {last_seq}; send again from there."


class StreamNotYours(Problem):
    code = "STREAM_NOT_YOURS"
    kind = Kind.FORBIDDEN
    sentence = "This stream belongs to another device or person."


class UpgradeRequired(Problem):
    code = "UPGRADE_REQUIRED"
    kind = Kind.UPGRADE
    sentence = "This app is too old for this server; update it. Nothing recorded on it is lost."


class MalformedMutation(Problem):
    code = "MALFORMED_MUTATION"
    kind = Kind.REFUSED
    sentence = "Mutation number {index} of the batch can't be read: {why}."


class UnknownMutation(Problem):
    code = "UNKNOWN_MUTATION"
    kind = Kind.REFUSED
    sentence = "This server knows no mutation {name} in version {v}."


class DependsOn(Problem):
    code = "DEPENDS_ON"
    kind = Kind.REFUSED
    sentence = "It is about something that mutation {mutation} was to make, which is in quarantine itself."


class InvalidArguments(Problem):
    code = "INVALID_ARGUMENTS"
    kind = Kind.REFUSED
    sentence = "The arguments don't fit: {why}."


class ServerError(Problem):
    code = "SERVER_ERROR"
    kind = Kind.REFUSED
    sentence = "The server failed on this mutation ({trace}); it is kept for a person to look at."


class ScopeTooLarge(Problem):
    code = "SCOPE_TOO_LARGE"
    kind = Kind.TOO_LARGE
    sentence = "This person would be given {buckets} buckets, more than {limit}; the office must assign less at once."
