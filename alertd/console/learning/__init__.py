"""`alertd devices learn`: from a device that was merely heard to a row of devices.csv."""
