"""The own endpoints: who may ask what, and what they tell."""
