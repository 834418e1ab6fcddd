"""`alertd devices …`: what devices say, for whoever sets them up."""
