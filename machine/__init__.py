"""What the operating system gives and asks: accounts, files that are ours alone, locks, ports, processes."""
