"""`dataspoke quickstart`: the whole product on a real PostgreSQL, on this machine alone."""
