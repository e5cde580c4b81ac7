"""What members of staff are told: read in the application, and by e-mail as each wants it."""
