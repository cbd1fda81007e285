"""The report of a scenario: one page for a browser that needs nothing else, and the same as a picture.

Path("report.html").write_text(report_page(outcome))
take_picture(Path("report.html"), Path("report.png"))
"""

from .browser import NoBrowser
from .page import report_page
from .picture import take_picture

__all__ = ["NoBrowser", "report_page", "take_picture"]
