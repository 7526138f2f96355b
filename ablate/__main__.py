"""`python -m ablate` is the same program as `ablate`."""

from ablate.cli.app import main

if __name__ == "__main__":
    main()
