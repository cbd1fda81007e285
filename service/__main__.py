"""`python -m service` is `ebbtide`."""

from .entry import main

main()
