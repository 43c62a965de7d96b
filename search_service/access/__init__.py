"""Who calls the search service, how often, and what of the catalogue they may see."""
