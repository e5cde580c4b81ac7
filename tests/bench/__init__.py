"""`dev.py bench`: imports and what follows them, beside COPY, a pandas script and a SQL view on the same files."""
