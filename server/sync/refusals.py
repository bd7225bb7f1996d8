"""Problems of reviewing, rescuing and looking after devices."""

from server.core.errors import Kind, Problem


class AlreadySettled(Problem):
    code = "review.already_settled"
    kind = Kind.CONFLICT
    sentence = "{by} has settled this already, as {verdict}."


class NotSettled(Problem):
    code = "review.not_settled"
    kind = Kind.CONFLICT
    sentence = "This is open: there is nothing to undo."


class DoesNotFit(Problem):
    code = "review.does_not_fit"
    kind = Kind.REFUSED
    sentence = "A {matter} can't be settled by {verdict}."


class NoteMissing(Problem):
    code = "review.note_missing"
    kind = Kind.REFUSED
    sentence = "A remark needs words."


class CannotStand(Problem):
    code = "review.cannot_stand"
    kind = Kind.REFUSED
    sentence = "Nothing here can make {what} stand by itself; put it right by hand and accept what the server has."


class ReplayStands(Problem):
    code = "review.replay_stands"
    kind = Kind.CONFLICT
    sentence = "What was replayed has taken effect and can't be taken back from here; correct it where it shows."


class OfficeOnly(Problem):
    code = "review.office_only"
    kind = Kind.FORBIDDEN
    sentence = "Only the office can settle this; you may add a remark."


class AppWindowTooSoon(Problem):
    code = "sync.app_window_too_soon"
    kind = Kind.REFUSED
    sentence = (
        "CALLOUT_APP_WINDOWS: {platform} below {min_version} may be refused from {earliest} on, not earlier: "
        "phones that are offline need 30 days' notice."
    )


class WrongDevice(Problem):
    code = "rescue.wrong_device"
    kind = Kind.FORBIDDEN
    sentence = "This bundle is not of the device or person the token was given to."


class FileNotNamed(Problem):
    code = "rescue.file_not_named"
    kind = Kind.FORBIDDEN
    sentence = "Nothing that this device handed in names such a file; hand in what names it first."
