"""The service: runs protocols on channels, remembers what happened, hands it on."""
