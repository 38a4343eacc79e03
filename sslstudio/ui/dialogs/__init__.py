"""The few dialogs: classes, shortcuts, about, closing while something runs, and the report of a bug."""
