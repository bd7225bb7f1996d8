"""Files that confirmations refer to: every print of a report, and whatever a signature's evidence names."""

REPORTS = "select pdf_sha256 as sha256 from report_pdf"

EVIDENCE = """
    select found[1] as sha256 from signature s
    cross join lateral regexp_matches(s.evidence::text, '[0-9a-f]{64}', 'g') found
"""
