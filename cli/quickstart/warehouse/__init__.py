"""A book shop's warehouse: definitions as data, and rows as a function of (seed, day)."""
