"""Pages of the policies: what waits, held letters, the people looked after, and their lists."""
