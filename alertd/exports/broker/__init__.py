"""The broker's configuration from the registry: mosquitto.conf, access list, passwords, for every broker of a source.

`clients` says who speaks and what each may, `layout` what a mosquitto.conf holds, `passwords` who keeps which, `files`
turns all of it into files, and writes them. Passwords in clear go into two places only: the hand-out and the secrets.
"""
