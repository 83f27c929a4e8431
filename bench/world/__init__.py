"""An exchange to measure: its processes, its brokers and stocks, its past."""
