"""What a report is written as."""

from enum import StrEnum


class Form(StrEnum):
    """HTML for the screen, the same for a printer or a PDF, Markdown, or everything as JSON."""

    HTML = "html"
    PDF_READY = "pdf-ready"
    MARKDOWN = "md"
    JSON = "json"
