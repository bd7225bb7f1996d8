"""Files that only a mutation under review names: it may yet be accepted, so its photo must be there."""

UNDER_REVIEW = """
    select found[1] as sha256
    from review_item i join mutation_log m on (m.org_id, m.id) = (i.org_id, i.mutation_id)
    cross join lateral regexp_matches(m.envelope::text, '[0-9a-f]{64}', 'g') found
"""

UNREADABLE = """
    select found[1] as sha256 from refused_push r
    cross join lateral regexp_matches(encode(r.body, 'escape'), '[0-9a-f]{64}', 'g') found
"""
