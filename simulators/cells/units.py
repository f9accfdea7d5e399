"""The units parameter sets are published in, as factors to SI."""

MAH_PER_G = 3600.0  # to C/kg: 1 mAh is 3.6 C, 1 g is 1e-3 kg
MAH_PER_CM2 = 3.6e4  # to C/m2
MA_PER_CM2 = 10.0  # to A/m2
OHM_CM2 = 1e-4  # to ohm m2
MS_PER_CM = 0.1  # to S/m
CM2 = 1e-4  # to m2
MICROMETRE = 1e-6
MILLIGRAM = 1e-6  # to kg
HOUR = 3600.0
MAH = 3.6  # to C

FARADAY = 96485.33  # C/mol
GAS = 8.314462  # J/(mol K)
ROOM = 298.15  # K, the source's 25 degC chamber
THERMAL_VOLTAGE = GAS * ROOM / FARADAY  # V, 25.7 mV
