"""Authenticates users by password, browser session or access token; signs them in and out."""
