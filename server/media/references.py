"""What media itself refers to: the small copies."""

PREVIEWS = """
    select thumb_sha256 as sha256 from picture where thumb_sha256 is not null
    union all select view_sha256 from picture where view_sha256 is not null
"""
