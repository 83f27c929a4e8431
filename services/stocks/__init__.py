"""Listed stocks: their rules, their trading states, and the schedule that changes these."""
