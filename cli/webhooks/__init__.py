"""A receiver of webhooks for the terminal."""
