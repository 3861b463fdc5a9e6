"""OAuth clients: registering, changing, disabling, deleting and authenticating them."""
