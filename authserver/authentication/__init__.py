"""Who somebody is: passwords, devices, sessions of browsers, access tokens; signing in and out."""
