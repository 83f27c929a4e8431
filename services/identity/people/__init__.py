"""People: their passwords and roles, where they are logged in, and the tokens that say so."""
