from server.core.errors import Kind, Problem


class NotSignedIn(Problem):
    code = "auth.not_signed_in"
    kind = Kind.UNAUTHENTICATED
    sentence = "Sign in first: send a valid access token or API key."


class AccessTokenExpired(Problem):
    code = "auth.token_expired"
    kind = Kind.UNAUTHENTICATED
    sentence = "The access token has expired; refresh it and repeat the request."


class WrongCredentials(Problem):
    code = "auth.wrong_credentials"
    kind = Kind.UNAUTHENTICATED
    sentence = "E-mail address or password is wrong."


class SeveralOrganisations(Problem):
    code = "auth.several_organisations"
    kind = Kind.CONFLICT
    sentence = "This account exists in several organisations; choose one of them."


class SessionEnded(Problem):
    code = "auth.session_ended"
    kind = Kind.UNAUTHENTICATED
    sentence = "This session has ended; sign in again."


class UserDisabled(Problem):
    code = "USER_DISABLED"  # spelled as in the sync protocol
    kind = Kind.FORBIDDEN
    sentence = "This account has been disabled."


class DeviceRevoked(Problem):
    code = "DEVICE_REVOKED"
    kind = Kind.FORBIDDEN
    sentence = "This device has been revoked."


class EnrolmentCodeRefused(Problem):
    code = "device.enrolment_code_refused"
    kind = Kind.REFUSED
    sentence = "This enrolment code is wrong, used or expired; ask for a new one."


class EmailTaken(Problem):
    code = "person.email_taken"
    kind = Kind.CONFLICT
    sentence = "Somebody in this organisation already uses this e-mail address."


class PasswordTooWeak(Problem):
    code = "person.password_too_weak"
    kind = Kind.REFUSED
    sentence = "A password needs at least 12 characters and must not be a common one."
