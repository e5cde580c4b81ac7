"""From findings to help: cases, tasks, contacts, causes and notes."""
