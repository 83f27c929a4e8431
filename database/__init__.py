"""Connections to PostgreSQL and the ways to run statements on them; knows no table and no rule of the market."""
