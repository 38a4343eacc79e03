"""Every setting, declared once; the methods' table; domain presets; suggested values. No torch, no Qt."""
