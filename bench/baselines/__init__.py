"""What to compare with: bare endpoints, the database alone, engines of others."""
