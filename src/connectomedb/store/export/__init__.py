"""Take records out, as one user sees them: XML documents, CSV with dictionaries, BIDS, Parquet."""

from connectomedb.store.export.formats import FORMATS, ExportReport, Format, export_project

__all__ = ["FORMATS", "ExportReport", "Format", "export_project"]
