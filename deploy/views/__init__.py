"""The pages that know the mail hosts."""
