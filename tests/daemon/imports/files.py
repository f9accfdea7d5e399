"""Result files for the tests: real ones, and small ones written by hand in the layout of the real."""

from pathlib import Path

DATA = Path(__file__).parents[2] / "data"

ECLAB = """EC-Lab ASCII FILE
Nb header lines : 11

Galvanostatic Cycling with Potential Limitation

Run on channel : 3 (SN 12345)
Acquisition started on : 01/31/2026 12:00:00.500
Electrode material : LFP
Device : VMP3 (SN 0042)

mode\tNs\ttime/s\tEwe/V\tI/mA\t(Q-Qo)/mA.h\tcycle number\t
3\t0\t0,0\t3,0\t0,0\t0,0\t0\t
3\t0\t10,0\t3,0\t0,0\t0,0\t0\t
1\t1\t10,5\t3,2\t3,6\t0,0005\t0\t
1\t1\t370,0\t3,4\t3,6\t0,36\t0\t
2\t1\t371,0\t3,4\t3,0\t0,361\t0\t
2\t1\t730,0\t3,4\t1,0\t0,5\t0\t
1\t2\t731,0\t3,3\t-3,6\t0,499\t0\t
1\t2\t1090,0\t3,0\t-3,6\t0,14\t0\t
"""
"""Rest, 3.6 mA, constant voltage and back: 0.36 mAh, then 0.14 mAh in, 0.36 mAh out.

EC-Lab counts cycles from 0."""

MACCOR = """Today's Date:\t14 December 2020\tDate of Test:\t11 December 2020, 12:22:12 PM
Filename:\tcell7\tTester Channel:\t4
Procedure:\tthree steps.000\tDescription:\t
Rec#\tCyc#\tStep\tTestTime\tStepTime\tAmp-hr\tWatt-hr\tAmps\tVolts\tState\tES\tTemp 1\t
1\t0\t1\t  0d 00:00:0\t  0d 00:00:0\t0.00000\t0.00000\t0.00000\t3.40000\tR\t0\t25.1\t
2\t0\t1\t  0d 00:00:5\t  0d 00:00:5\t0.00000\t0.00000\t0.00000\t3.40000\tR\t129\t25.1\t
3\t0\t2\t  0d 00:00:5.05\t  0d 00:00:0.05\t0.00000\t0.00000\t0.50000\t3.30000\tD\t0\t25.2\t
4\t0\t2\t  0d 01:00:5\t  0d 01:00:0\t0.50000\t1.60000\t0.50000\t3.00000\tD\t129\t25.3\t
5\t0\t3\t  0d 01:00:5.05\t  0d 00:00:0.05\t0.00000\t0.00000\t0.50000\t3.30000\tC\t0\t25.2\t
6\t0\t3\t  1d 01:00:5\t  0d 24:00:0\t0.52000\t1.80000\t0.50000\t3.50000\tC\t129\t25.3\t
"""
"""A discharge of 0.5 Ah and 1.6 Wh, a charge of 0.52 Ah and 1.8 Wh; the current has no sign."""
