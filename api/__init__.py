"""REST: what the outside of the exchange looks like. Views look up, call one service and answer."""
