"""The project folder: index, classes, masks, and the edit log behind undo and crash safety."""
