"""From findings to help: cases, tasks, contacts, causes, notes, and the boards over them."""
