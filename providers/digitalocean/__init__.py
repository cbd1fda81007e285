"""DigitalOcean: droplets, marked by tags."""

from .opening import open_digitalocean

__all__ = ["open_digitalocean"]
