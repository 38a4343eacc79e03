"""Help with labelling by a network's features."""
