"""What `minex doctor` looks at."""
