"""The road to real backends: which one, in what form, and what is said when it fails."""
