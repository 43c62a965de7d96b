"""`dataspoke-vector-sync`: keep the search index equal to what DataHub says."""
