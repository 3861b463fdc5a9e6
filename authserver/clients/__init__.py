"""OAuth applications: registering, changing, disabling and deleting them, and what proves who one is."""
