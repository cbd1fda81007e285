"""Searching the named constants of a formula for the cheapest that lets tasks wait no longer than a limit."""
