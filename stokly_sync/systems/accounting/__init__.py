"""Import files of accounting packages: journals as Xero, Sage and QuickBooks take them (P5).

Nothing is called here; a person imports the file. Each format is a declaration, and `FORMATS` is all of them.
"""

from typing import Final

from stokly_sync.systems.accounting.formats import QUICKBOOKS, SAGE, XERO, Format, Package, files

FORMATS: Final = {one.name: one for one in (XERO, SAGE, QUICKBOOKS)}
"""By the name that the command line takes."""

__all__ = ["FORMATS", "Format", "Package", "files"]
