"""The subcommands of `minex`, one a file."""
