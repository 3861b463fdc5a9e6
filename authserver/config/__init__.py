"""Settings: read once, from the environment and a TOML file, into one frozen value.

The only reader of the environment. Whatever is wrong is reported together, one line per setting with its remedy, and
nothing starts before all of it is right. Values are never printed: some of them are secrets. Settings stop at the
assembly, which hands the rooms below the small values that they define themselves.
"""

from authserver.config.caller import find_sudo_user
from authserver.config.loading import SettingsError, load_settings
from authserver.config.settings import Settings

__all__ = ["Settings", "SettingsError", "find_sudo_user", "load_settings"]
