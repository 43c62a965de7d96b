"""`dataspoke search import-bench`: a file of a search bench as a catalogue."""
