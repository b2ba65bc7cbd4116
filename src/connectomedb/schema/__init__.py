"""Data types read from XSD and display documents, and the documents written in them."""
