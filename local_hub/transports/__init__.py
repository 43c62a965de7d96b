"""How the hub's events leave it: Avro JSON for the poll API, Avro bytes for Kafka and pgQueue."""
