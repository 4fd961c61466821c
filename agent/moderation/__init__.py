"""What may not be said: categories, and whoever finds them in a text."""
