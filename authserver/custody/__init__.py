"""Use cases on signing, MAC and master keys: rotate, change, seal again, recover. One transaction each."""
