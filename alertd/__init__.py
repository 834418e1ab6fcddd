"""alertd: open, self-hosted duress-alert and mass-notification daemon for schools and campuses."""

__version__ = "0.1.0"
