"""Sources that run by themselves: files fetched from where a system puts them, and taken in like an upload."""
