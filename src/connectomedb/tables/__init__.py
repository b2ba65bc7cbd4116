"""Answers as values, and their spellings."""
