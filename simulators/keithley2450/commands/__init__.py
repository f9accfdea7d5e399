"""What the instrument can be told, one file per subsystem of the manual's command reference."""
