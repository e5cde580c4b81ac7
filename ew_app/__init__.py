"""Attendance early warning: the application."""
