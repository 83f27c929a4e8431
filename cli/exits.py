"""Exit codes of every `minex` command."""

DONE = 0
FAILED = 1
USAGE = 2
"""The command line or a setting is wrong."""
NOT_RUNNING = 3
"""What the command needs is not running; `minex up` helps."""
REFUSED = 4
"""The market refused: no money, halted, unknown stock …"""
