"""Other tools' annotation formats, in and out."""
