"""Judgement: the same input gives the same output. No tables, no screens, no clock."""
