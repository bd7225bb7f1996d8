from server.core.errors import Kind, Problem


class FontsMissing(Problem):
    code = "report.fonts_missing"
    kind = Kind.UNAVAILABLE
    sentence = (
        "No font with Chinese characters was found: install fonts-noto-cjk, or name a folder with Noto Sans SC in "
        "CALLOUT_FONTS."
    )


class NoReport(Problem):
    code = "report.none"
    kind = Kind.NOT_FOUND
    sentence = "There is no report of this work order yet."


class UnknownReport(Problem):
    code = "report.unknown"
    kind = Kind.NOT_FOUND
    sentence = "No report carries this code."


class ReportChangedMeanwhile(Problem):
    code = "report.changed_meanwhile"
    kind = Kind.CONFLICT
    sentence = "The work order kept changing while its report was made; it is made again."
