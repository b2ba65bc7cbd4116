"""Object stores and local disk: listing, planning, moving and verifying files."""
