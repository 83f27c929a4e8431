"""The journal carried out again by a fresh engine, and compared with what the database has."""
