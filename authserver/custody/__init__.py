"""Use cases on signing, MAC and master keys: rotate, change, reseal, recover. One transaction each."""
