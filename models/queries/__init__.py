"""SELECTs with names. Reads only; what a screen may list always passes through `scope`."""
