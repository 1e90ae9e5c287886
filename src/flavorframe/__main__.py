"""``python -m flavorframe``: the command line."""

from flavorframe._cli.main import main

main()
