"""The synthetic sample site and what tests, documentation and demo share."""
