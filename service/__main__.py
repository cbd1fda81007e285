"""`python -m service` is `ebbtide`."""

from .cli import main

main()
