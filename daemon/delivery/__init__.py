"""The way of a reading from the core to a recorder, on which none is lost."""
