"""What an empty hub starts with."""
