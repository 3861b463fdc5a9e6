"""How an installation looks to people: name, logo, colours, and its own words for scopes."""
