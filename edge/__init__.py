"""What both edges share: problem details, authentication, the unit of work of a request, idempotent creation."""
