"""The description of the HTTP API in OpenAPI 3.1, made from the tables that the server works by."""

from .beside import PATH
from .document import description

__all__ = ["PATH", "description"]
