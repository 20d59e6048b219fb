"""The page: what it answers, and how it is in a browser."""
