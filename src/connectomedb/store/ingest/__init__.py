"""Bring records in: documents, tables with a dictionary, BIDS data sets. One module per kind of source."""

from connectomedb.store.ingest.bids import import_bids
from connectomedb.store.ingest.documents import Keep, import_xml
from connectomedb.store.ingest.spreadsheets import TableOptions, import_table
from connectomedb.store.report import IngestReport, Refusal

__all__ = ["IngestReport", "Keep", "Refusal", "TableOptions", "import_bids", "import_table", "import_xml"]
