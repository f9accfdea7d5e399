"""The structures of EClib, byte for byte (EC-Lab Development Package, structures and constants)."""

from ctypes import POINTER, Structure, c_char, c_double, c_float, c_int32, c_uint32

LABEL_LENGTH = 64
"""Bytes of a parameter's label, its closing zero included."""

DATA_WORDS = 1000
"""Words in the buffer of `BL_GetData`."""

CHANNELS = 16
"""Length of every array that has a place for each channel."""


class DeviceInfos(Structure):
    """TDeviceInfos: what `BL_Connect` tells of the instrument."""

    _fields_ = [
        ("DeviceCode", c_int32),
        ("RAMSize", c_int32),
        ("CPU", c_int32),
        ("NumberOfChannels", c_int32),
        ("NumberOfSlots", c_int32),
        ("FirmwareVersion", c_int32),
        ("FirmwareDate_yyyy", c_int32),
        ("FirmwareDate_mm", c_int32),
        ("FirmwareDate_dd", c_int32),
        ("HTdisplayOn", c_int32),
        ("NbOfConnectedPC", c_int32),
    ]


class ChannelInfos(Structure):
    """TChannelInfos: a channel's board, amplifier, firmware and state."""

    _fields_ = [
        ("Channel", c_int32),
        ("BoardVersion", c_int32),
        ("BoardSerialNumber", c_int32),
        ("FirmwareCode", c_int32),
        ("FirmwareVersion", c_int32),
        ("XilinxVersion", c_int32),
        ("AmpCode", c_int32),
        ("NbAmps", c_int32),
        ("Lcboard", c_int32),
        ("Zboard", c_int32),
        ("MUXboard", c_int32),
        ("GPRAboard", c_int32),
        ("MemSize", c_int32),
        ("MemFilled", c_int32),
        ("State", c_int32),
        ("MaxIRange", c_int32),
        ("MinIRange", c_int32),
        ("MaxBandwidth", c_int32),
        ("NbOfTechniques", c_int32),
    ]


class CurrentValues(Structure):
    """TCurrentValues: what a channel does and measures at this instant."""

    _fields_ = [
        ("State", c_int32),
        ("MemFilled", c_int32),
        ("TimeBase", c_float),
        ("Ewe", c_float),
        ("EweRangeMin", c_float),
        ("EweRangeMax", c_float),
        ("Ece", c_float),
        ("EceRangeMin", c_float),
        ("EceRangeMax", c_float),
        ("Eoverflow", c_int32),
        ("I", c_float),
        ("IRange", c_int32),
        ("Ioverflow", c_int32),
        ("ElapsedTime", c_float),
        ("Freq", c_float),
        ("Rcomp", c_float),
        ("Saturation", c_int32),
        ("OptErr", c_int32),
        ("OptPos", c_int32),
    ]


class DataInfos(Structure):
    """TDataInfos: what the rows of one `BL_GetData` are."""

    _pack_ = 4
    _fields_ = [
        ("IRQskipped", c_int32),
        ("NbRows", c_int32),
        ("NbCols", c_int32),
        ("TechniqueIndex", c_int32),
        ("TechniqueID", c_int32),
        ("ProcessIndex", c_int32),
        ("loop", c_int32),
        ("StartTime", c_double),
        ("MuxPad", c_int32),
    ]


class EccParam(Structure):
    """TEccParam: one value of a technique; `ParamVal` holds its bits, whatever `ParamType` it is."""

    _fields_ = [
        ("ParamStr", c_char * LABEL_LENGTH),
        ("ParamType", c_int32),
        ("ParamVal", c_uint32),
        ("ParamIndex", c_int32),
    ]


class EccParams(Structure):
    """TEccParams: all values of a technique."""

    _pack_ = 4
    _fields_ = [("len", c_int32), ("pParams", POINTER(EccParam))]


class TechniqueInfos(Structure):
    """TTechniqueInfos: a technique a channel holds. The arrays belong to the library."""

    _fields_ = [
        ("Id", c_int32),
        ("indx", c_int32),
        ("nbParams", c_int32),
        ("nbSettings", c_int32),
        ("Params", POINTER(EccParam)),
        ("HardSettings", POINTER(EccParam)),
    ]
