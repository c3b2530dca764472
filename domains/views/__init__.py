"""The pages about domains, mailboxes and aliases."""
