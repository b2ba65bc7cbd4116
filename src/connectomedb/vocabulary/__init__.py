"""The words of XNAT and HCP as values; pure, no I/O."""
