"""The exchange on this machine: where it runs, how it is made ready, what this machine lacks."""
