"""The optional risk model: learned from past years, tried, let work by two people, and able to change no decision."""
