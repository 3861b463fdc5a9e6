"""The users of the server: people with browsers, devices and programs; operators; resource servers."""
