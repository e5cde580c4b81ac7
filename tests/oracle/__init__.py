"""A second opinion on every number: the measures again, the slow and plain way.

Nothing here imports the product. It reads plain rows, walks over the days one after the other, and adds whole
numbers. It is written from what the districts agreed on, never from the engine, so that a mistake in the engine
does not repeat itself here. Days are thousandths of a school day, as everywhere.
"""
