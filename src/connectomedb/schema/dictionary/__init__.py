"""From a table and its data dictionary to a data type: an XSD and a display document that can be edited."""

from connectomedb.schema.dictionary.build import TypeFiles, infer_type, merge_columns, type_from_table
from connectomedb.schema.dictionary.facts import MISSING, ColumnFacts, Dictionary, read_dictionary
from connectomedb.schema.dictionary.write import columns_of, merge_schemas

__all__ = [
    "MISSING",
    "ColumnFacts",
    "Dictionary",
    "TypeFiles",
    "columns_of",
    "infer_type",
    "merge_columns",
    "merge_schemas",
    "read_dictionary",
    "type_from_table",
]
