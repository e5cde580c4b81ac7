"""The verbs: what the screens, the workers and the command line can do. Each is one transaction."""
