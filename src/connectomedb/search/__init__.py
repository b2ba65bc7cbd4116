"""The question as a value, and its spellings."""
