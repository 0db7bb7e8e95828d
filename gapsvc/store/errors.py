"""What the store raises."""


class StoreError(Exception):
    """The store can't do what was asked. The message says what to do; it holds no patient data."""
