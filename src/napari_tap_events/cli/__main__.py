"""`python -m napari_tap_events.cli`: the command line without its script."""

from napari_tap_events.cli import main

if __name__ == "__main__":
    main()
