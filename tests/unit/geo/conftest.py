from tests.regions import monaco, monaco_extract

__all__ = ["monaco", "monaco_extract"]
