"""What the window's parts do for each other, by subject; each module owns one."""
