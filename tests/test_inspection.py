"""What check, scan and ls find in a folder."""
