"""What a running process tells about itself: health endpoints and metrics."""
