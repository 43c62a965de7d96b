"""Conditions in plain words become filters, by the catalogue's own vocabulary. Pure."""
