"""`alertd broker`: what an administrator sees of the broker's configuration."""
