"""The process and the computer it is on: signs of life, locks, clocks, disks, installation."""
