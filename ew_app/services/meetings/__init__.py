"""Team meetings: the agenda from the data, the walk through the list, what was decided and who was there."""
