"""The HTTP surface of the hub, one module per protocol."""
