# Where `galvanod` finds the services of this machine.
export GALVANOD_STATE="${GALVANOD_STATE:-/var/lib/galvanod}"
export GALVANOD_DATABASE="${GALVANOD_DATABASE:-sqlite:////var/lib/galvanod-recorder/results.db}"
