"""How often credentials may be guessed at. What succeeds is not counted (see `limits.attempt`)."""

from datetime import timedelta

from server.core.limits import Rate

LOGIN = Rate(times=10, per=timedelta(minutes=10), burst=10)
# An enrolment code has ten characters of 31 and lives two days: at this rate a guess never hits.
ENROL = Rate(times=60, per=timedelta(hours=1), burst=30)
REFRESH = Rate(times=120, per=timedelta(minutes=1), burst=120)
