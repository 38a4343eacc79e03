"""Short questions about one image, and the client of the process that answers them. No torch, no Qt."""
