"""The poolings, what they share, what is said about them, and their comparison."""
