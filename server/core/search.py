"""Searching by what people type."""


def containing(text: str) -> str:
    r"""Answer the pattern for `ilike … escape '\'` that finds `text` anywhere, its wildcards taken literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def digits_of(text: str) -> str:
    """Answer only the digits: how phone numbers are compared, however they are grouped."""
    return "".join(character for character in text if character in "0123456789")
