"""What runs in the other processes: the run worker and the inference server."""
