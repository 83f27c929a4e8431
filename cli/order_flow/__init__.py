"""Order flow from files: read, translated, sent to an exchange, reported on."""
