"""Self-supervised methods: one file each, and the table that finds them (``registry``)."""
