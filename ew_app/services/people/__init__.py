"""Who signs in, with which roles."""
