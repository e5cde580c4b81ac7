"""Attendance files on their way in and back out: kept, read, checked, merged, reported, taken back."""
