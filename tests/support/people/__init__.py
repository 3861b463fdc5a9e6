"""Who uses it: persons and their browsers, devices and programs, operators, resource servers that ask."""
