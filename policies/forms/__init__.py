"""Forms of the policies: `lists` (lists, levels and answers), `filters` (rules, vacation, spam, forwarding)."""
