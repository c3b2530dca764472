"""The pages about people: signing in, one's own settings, people, communities."""
