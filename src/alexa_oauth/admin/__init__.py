"""The panel, on a listener of its own, which the internet never reaches."""
