"""`python -m cli`: what `./minex` runs."""

from cli.main import main

if __name__ == "__main__":
    main()
