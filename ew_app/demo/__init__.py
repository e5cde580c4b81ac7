"""An invented school district, written as the files that a real one would hand over.

People, schools and streets are made up; phone numbers and mail addresses lead nowhere.
"""

from __future__ import annotations

from ew_app.demo.writer import Summary, write_district

__all__ = ["Summary", "write_district"]
