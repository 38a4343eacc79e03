"""The run folder: what was asked, what happened, what came out; starting, watching, stopping, recovering."""
