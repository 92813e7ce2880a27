"""`python -m cwsync`."""

from cwsync.cli import main

main()
