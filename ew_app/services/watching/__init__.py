"""Seen from above: how schools, networks and the district stand, whether help arrives, proof that somebody looked."""
