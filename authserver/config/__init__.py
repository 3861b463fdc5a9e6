"""Settings: read once, from the environment and a TOML file, into one frozen value.

The only reader of the environment. All errors are reported together, one line per setting with its remedy, and nothing
starts before all settings are right. Values are never printed, because some are secrets. Settings stop at the assembly,
which passes to the rooms below the small values that those rooms define.
"""

from authserver.config.caller import find_sudo_user
from authserver.config.loading import SettingsError, load_settings
from authserver.config.settings import Settings

__all__ = ["Settings", "SettingsError", "find_sudo_user", "load_settings"]
