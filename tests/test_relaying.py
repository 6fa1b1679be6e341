"""A live answer on its way to the caller, and what of it is kept."""
