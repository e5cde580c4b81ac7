"""Starting, watching, saving and proving the whole."""
