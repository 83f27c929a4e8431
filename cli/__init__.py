"""The `minex` command: one file for each subcommand."""
