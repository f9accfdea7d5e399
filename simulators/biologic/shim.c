/* A library with the exports of EClib whose instrument is simulated: every call goes to it over loopback.
 *
 * Built with the system compiler when it is needed, see library.py; messages.py says what goes over
 * the wire. Written from the ABI alone, so that a host's structures and argument types are really
 * exercised. One thread at a time, as the real one wants it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define CONNECTIONS 64
#define CHANNELS 16
#define LONGEST 65536
#define WORDS 1000

enum {
    OK = 0, NOT_CONNECTED = -1, INVALID_PARAMETERS = -4, FUNCTION_FAILED = -6,
    COMMUNICATION_FAILED = -200, CONNECTION_FAILED = -201, INVALID_ADDRESS = -203, NO_MEMORY = -204,
    RESPONSE_ERROR = -104, TOO_MANY_CONNECTIONS = -207
};

enum {
    CONNECT = 1, DISCONNECT, TEST_CONNECTION, CHANNELS_PLUGGED, LOAD_FIRMWARE, CHANNEL_INFOS, BOARD_TYPE,
    GET_HARD_CONF, SET_HARD_CONF, OPTION_ERROR, MESSAGE, LOAD_TECHNIQUE, UPDATE_PARAMETERS,
    TECHNIQUE_INFOS, START, STOP, CURRENT_VALUES, GET_DATA, TOOK_DATA, TEST_SPEED
};

typedef struct { int32_t DeviceCode, RAMSize, CPU, NumberOfChannels, NumberOfSlots, FirmwareVersion,
    FirmwareDate_yyyy, FirmwareDate_mm, FirmwareDate_dd, HTdisplayOn, NbOfConnectedPC; } TDeviceInfos;

typedef struct { int32_t Channel, BoardVersion, BoardSerialNumber, FirmwareCode, FirmwareVersion,
    XilinxVersion, AmpCode, NbAmps, Lcboard, Zboard, MUXboard, GPRAboard, MemSize, MemFilled, State,
    MaxIRange, MinIRange, MaxBandwidth, NbOfTechniques; } TChannelInfos;

typedef struct { int32_t State, MemFilled; float TimeBase, Ewe, EweRangeMin, EweRangeMax, Ece,
    EceRangeMin, EceRangeMax; int32_t Eoverflow; float I; int32_t IRange, Ioverflow;
    float ElapsedTime, Freq, Rcomp; int32_t Saturation, OptErr, OptPos; } TCurrentValues;

#pragma pack(push, 4)
typedef struct { int32_t IRQskipped, NbRows, NbCols, TechniqueIndex, TechniqueID, ProcessIndex, loop;
    double StartTime; int32_t MuxPad; } TDataInfos;
typedef struct { char ParamStr[64]; int32_t ParamType; uint32_t ParamVal; int32_t ParamIndex; } TEccParam;
#pragma pack(pop)

/* Packed to 4, and passed by value. A compiler would put a structure with a misaligned pointer on the stack,
 * foreign-function libraries put one of this size into registers: so it is three words, and no pointer. */
typedef struct { int32_t len; uint32_t pParams[2]; } TEccParams;

typedef struct { int32_t Id, indx, nbParams, nbSettings; TEccParam *Params, *HardSettings; } TTechniqueInfos;
typedef struct { int32_t Conn, Ground; } THardwareConf;

_Static_assert(sizeof(TDeviceInfos) == 44, "TDeviceInfos");
_Static_assert(sizeof(TChannelInfos) == 76, "TChannelInfos");
_Static_assert(sizeof(TCurrentValues) == 76, "TCurrentValues");
_Static_assert(sizeof(TDataInfos) == 40, "TDataInfos");
_Static_assert(sizeof(TEccParam) == 76, "TEccParam");
_Static_assert(sizeof(TEccParams) == 4 + sizeof(TEccParam *), "TEccParams");

typedef struct { bool used; int wire; TEccParam held[LONGEST / 76 + 1]; } Connection;

static Connection connections[CONNECTIONS];
static uint8_t question[LONGEST + 16], answered[LONGEST + 16];
static uint32_t asked, length; /* bytes of the question's body, bytes of results in the answer */

static uint32_t adler32(const uint8_t *data, uint32_t size)
{
    uint32_t a = 1, b = 0;
    for (uint32_t i = 0; i < size; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void begin(uint8_t function, int channel)
{
    question[8] = function;
    question[9] = (uint8_t)(int8_t)channel;
    asked = 2;
}

static void add(const void *data, uint32_t size)
{
    if (asked + size <= LONGEST)
        memcpy(question + 8 + asked, data, size);
    asked += size;
}

static bool sent(int wire)
{
    uint32_t checksum = adler32(question + 8, asked), whole = asked + 8, done = 0;
    memcpy(question, &asked, 4);
    memcpy(question + 4, &checksum, 4);
    while (done < whole) {
        ssize_t count = send(wire, question + done, whole - done, MSG_NOSIGNAL);
        if (count <= 0 && errno != EINTR)
            return false;
        done += count > 0 ? (uint32_t)count : 0;
    }
    return true;
}

static bool received(int wire, uint8_t *into, uint32_t size)
{
    for (uint32_t done = 0; done < size;) {
        ssize_t count = recv(wire, into + done, size - done, 0);
        if (count == 0 || (count < 0 && errno != EINTR))
            return false;
        done += count > 0 ? (uint32_t)count : 0;
    }
    return true;
}

static Connection *connection(int32_t id)
{
    return id >= 0 && id < CONNECTIONS && connections[id].used ? &connections[id] : NULL;
}

/* After a failure nobody knows what is still on its way: the connection is of no use any more. */
static int lost(Connection *one, int code)
{
    close(one->wire);
    one->used = false;
    return code;
}

static int finish(Connection *one)
{
    uint32_t header[2];
    int32_t code;
    if (asked > LONGEST)
        return INVALID_PARAMETERS;
    if (!sent(one->wire) || !received(one->wire, (uint8_t *)header, 8))
        return lost(one, COMMUNICATION_FAILED);
    if (header[0] < 4 || header[0] > LONGEST || !received(one->wire, answered, header[0]))
        return lost(one, COMMUNICATION_FAILED);
    if (adler32(answered, header[0]) != header[1])
        return lost(one, COMMUNICATION_FAILED);
    memcpy(&code, answered, 4);
    length = header[0] - 4;
    return code;
}

/* Ask what was begun and hand over `size` bytes of its results. */
static int ask(int32_t id, void *results, uint32_t size)
{
    Connection *one = connection(id);
    if (one == NULL)
        return NOT_CONNECTED;
    int code = finish(one);
    if (code == OK && size > 0) {
        if (length < size)
            return RESPONSE_ERROR;
        memcpy(results, answered + 4, size);
    }
    return code;
}

static int simple(int32_t id, uint8_t function, int channel, void *results, uint32_t size)
{
    begin(function, channel);
    return ask(id, results, size);
}

static int dialled(const char *address, int seconds)
{
    char host[128];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address || (size_t)(colon - address) >= sizeof host)
        return INVALID_ADDRESS;
    memcpy(host, address, colon - address);
    host[colon - address] = 0;
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    if (inet_pton(AF_INET, host, &peer.sin_addr) != 1)
        return INVALID_ADDRESS;
    int wire = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (wire < 0)
        return CONNECTION_FAILED;
    struct timeval patience = {.tv_sec = seconds > 0 ? seconds : 5};
    setsockopt(wire, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(wire, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(wire, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(wire, (struct sockaddr *)&peer, sizeof peer) == 0)
        return wire;
    close(wire);
    return CONNECTION_FAILED;
}

EXPORT int BL_Connect(char *address, uint8_t timeout, int32_t *id, TDeviceInfos *infos)
{
    for (int32_t place = 0; place < CONNECTIONS; place++) {
        Connection *one = &connections[place];
        if (one->used)
            continue;
        int wire = dialled(address, timeout);
        if (wire < 0)
            return wire;
        one->used = true;
        one->wire = wire;
        int code = simple(place, CONNECT, -1, infos, sizeof *infos);
        if (code != OK)
            return one->used ? lost(one, code) : code;
        *id = place;
        return OK;
    }
    return TOO_MANY_CONNECTIONS;
}

EXPORT int BL_Disconnect(int32_t id)
{
    Connection *one = connection(id);
    if (one == NULL)
        return NOT_CONNECTED;
    int code = simple(id, DISCONNECT, -1, NULL, 0);
    return one->used ? lost(one, code) : code;
}

EXPORT int BL_TestConnection(int32_t id)
{
    return simple(id, TEST_CONNECTION, -1, NULL, 0);
}

EXPORT int BL_TestCommSpeed(int32_t id, uint8_t channel, int32_t *received_milliseconds, int32_t *firmware)
{
    int32_t both[2];
    int code = simple(id, TEST_SPEED, channel, both, sizeof both);
    if (code == OK) {
        *received_milliseconds = both[0];
        *firmware = both[1];
    }
    return code;
}

EXPORT bool BL_GetUSBdeviceinfos(uint32_t index, char *company, uint32_t *company_size, char *device,
    uint32_t *device_size, char *serial, uint32_t *serial_size)
{
    (void)index, (void)company, (void)device, (void)serial;
    *company_size = *device_size = *serial_size = 0;
    return false; /* a simulated instrument has no USB */
}

EXPORT int BL_GetChannelsPlugged(int32_t id, uint8_t *plugged, uint8_t size)
{
    uint8_t flags[CHANNELS];
    int code = simple(id, CHANNELS_PLUGGED, -1, flags, sizeof flags);
    if (code == OK)
        memcpy(plugged, flags, size < CHANNELS ? size : CHANNELS);
    return code;
}

EXPORT int BL_LoadFirmware(int32_t id, uint8_t *channels, int32_t *results, uint8_t size, bool gauge,
    bool force, char *kernel, char *fpga)
{
    uint8_t flags[CHANNELS] = {0}, forced = force;
    int32_t codes[CHANNELS];
    (void)gauge, (void)kernel, (void)fpga;
    memcpy(flags, channels, size < CHANNELS ? size : CHANNELS);
    begin(LOAD_FIRMWARE, -1);
    add(flags, sizeof flags);
    add(&forced, 1);
    int code = ask(id, codes, sizeof codes);
    if (code == OK)
        memcpy(results, codes, 4 * (size < CHANNELS ? size : CHANNELS));
    return code;
}

EXPORT int BL_GetChannelInfos(int32_t id, uint8_t channel, TChannelInfos *infos)
{
    return simple(id, CHANNEL_INFOS, channel, infos, sizeof *infos);
}

EXPORT int BL_GetChannelBoardType(int32_t id, uint8_t channel, uint32_t *board)
{
    return simple(id, BOARD_TYPE, channel, board, sizeof *board);
}

EXPORT int BL_GetHardConf(int32_t id, uint8_t channel, THardwareConf *configuration)
{
    return simple(id, GET_HARD_CONF, channel, configuration, sizeof *configuration);
}

EXPORT int BL_SetHardConf(int32_t id, uint8_t channel, THardwareConf configuration)
{
    begin(SET_HARD_CONF, channel);
    add(&configuration, sizeof configuration);
    return ask(id, NULL, 0);
}

EXPORT int BL_GetOptErr(int32_t id, uint8_t channel, int32_t *error, int32_t *position)
{
    int32_t both[2];
    int code = simple(id, OPTION_ERROR, channel, both, sizeof both);
    if (code == OK) {
        *error = both[0];
        *position = both[1];
    }
    return code;
}

static int told(const uint8_t *text, uint32_t length_of_it, char *into, uint32_t *size)
{
    if (*size == 0)
        return INVALID_PARAMETERS;
    uint32_t fits = length_of_it < *size - 1 ? length_of_it : *size - 1;
    memcpy(into, text, fits);
    into[fits] = 0;
    *size = fits;
    return OK;
}

EXPORT int BL_GetMessage(int32_t id, uint8_t channel, char *text, uint32_t *size)
{
    int code = simple(id, MESSAGE, channel, NULL, 0);
    return code == OK ? told(answered + 4, length, text, size) : code;
}

EXPORT int BL_GetErrorMsg(int32_t error, char *text, uint32_t *size)
{
    char said[48];
    int count = snprintf(said, sizeof said, "simulated EClib, error code %d", (int)error);
    return told((const uint8_t *)said, (uint32_t)count, text, size);
}

EXPORT int BL_GetLibVersion(char *text, uint32_t *size)
{
    return told((const uint8_t *)"6.04 simulated", 14, text, size);
}

static int defined(const char *label, int32_t type, uint32_t bits, int32_t index, TEccParam *parameter)
{
    memset(parameter, 0, sizeof *parameter);
    if (label == NULL || strlen(label) >= sizeof parameter->ParamStr || index < 0)
        return INVALID_PARAMETERS;
    strcpy(parameter->ParamStr, label);
    parameter->ParamType = type;
    parameter->ParamVal = bits;
    parameter->ParamIndex = index;
    return OK;
}

EXPORT int BL_DefineIntParameter(char *label, int32_t value, int32_t index, TEccParam *parameter)
{
    return defined(label, 0, (uint32_t)value, index, parameter);
}

EXPORT int BL_DefineBoolParameter(char *label, bool value, int32_t index, TEccParam *parameter)
{
    return defined(label, 1, value, index, parameter);
}

EXPORT int BL_DefineSglParameter(char *label, float value, int32_t index, TEccParam *parameter)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return defined(label, 2, bits, index, parameter);
}

static void add_technique(const char *name, const TEccParams *given)
{
    char padded[64] = {0};
    TEccParam *parameters;
    int32_t count = given->len;
    memcpy(&parameters, given->pParams, sizeof parameters);
    if (name != NULL)
        memcpy(padded, name, strnlen(name, sizeof padded - 1));
    add(padded, sizeof padded);
    if (count < 0 || (uint32_t)count > LONGEST / sizeof *parameters)
        asked = LONGEST + 1; /* refused as too long */
    else
        add(parameters, (uint32_t)count * sizeof *parameters);
}

EXPORT int BL_LoadTechnique(
    int32_t id, uint8_t channel, char *name, TEccParams parameters, bool first, bool last, bool display)
{
    uint8_t place[2] = {first, last};
    (void)display;
    begin(LOAD_TECHNIQUE, channel);
    add(place, sizeof place);
    add_technique(name, &parameters);
    return ask(id, NULL, 0);
}

EXPORT int BL_UpdateParameters(int32_t id, int8_t channel, int32_t index, TEccParams *parameters, char *name)
{
    begin(UPDATE_PARAMETERS, channel);
    add(&index, sizeof index);
    add_technique(name, parameters);
    return ask(id, NULL, 0);
}

EXPORT int BL_GetTechniqueInfos(int32_t id, int8_t channel, int32_t index, TTechniqueInfos *infos)
{
    Connection *one = connection(id);
    begin(TECHNIQUE_INFOS, channel);
    add(&index, sizeof index);
    int code = ask(id, infos, 16);
    if (code == OK) {
        memcpy(one->held, answered + 20, length - 16);
        infos->Params = one->held;
        infos->HardSettings = NULL;
    }
    return code;
}

EXPORT int BL_StartChannel(int32_t id, int8_t channel)
{
    return simple(id, START, channel, NULL, 0);
}

EXPORT int BL_StopChannel(int32_t id, int8_t channel)
{
    return simple(id, STOP, channel, NULL, 0);
}

static int each(int32_t id, uint8_t function, uint8_t *channels, int32_t *results, uint8_t size)
{
    for (int channel = 0; channel < size && channel < CHANNELS; channel++) {
        results[channel] = channels[channel] ? simple(id, function, channel, NULL, 0) : OK;
        if (connection(id) == NULL)
            return NOT_CONNECTED;
    }
    return OK;
}

EXPORT int BL_StartChannels(int32_t id, uint8_t *channels, int32_t *results, uint8_t size)
{
    return each(id, START, channels, results, size);
}

EXPORT int BL_StopChannels(int32_t id, uint8_t *channels, int32_t *results, uint8_t size)
{
    return each(id, STOP, channels, results, size);
}

EXPORT int BL_GetCurrentValues(int32_t id, int8_t channel, TCurrentValues *values)
{
    return simple(id, CURRENT_VALUES, channel, values, sizeof *values);
}

EXPORT int BL_GetData(int32_t id, int8_t channel, uint32_t *words, TDataInfos *infos, TCurrentValues *values)
{
    Connection *one = connection(id);
    int code = simple(id, GET_DATA, channel, infos, sizeof *infos);
    if (code != OK)
        return code;
    uint32_t rest = length - sizeof *infos;
    if (rest < sizeof *values || rest - sizeof *values > 4 * WORDS)
        return RESPONSE_ERROR;
    memcpy(values, answered + 4 + sizeof *infos, sizeof *values);
    memcpy(words, answered + 4 + sizeof *infos + sizeof *values, rest - sizeof *values);
    if (infos->NbRows > 0) {
        begin(TOOK_DATA, channel);
        if (!sent(one->wire))
            return lost(one, COMMUNICATION_FAILED);
    }
    return OK;
}

EXPORT int BL_ConvertNumericIntoSingle(uint32_t word, float *value)
{
    memcpy(value, &word, 4);
    return OK;
}

EXPORT int BL_ConvertChannelNumericIntoSingle(uint32_t word, float *value, uint32_t board)
{
    (void)board;
    return BL_ConvertNumericIntoSingle(word, value);
}

EXPORT int BL_ConvertTimeChannelNumericIntoSeconds(
    uint32_t *words, double *seconds, float timebase, uint32_t board)
{
    (void)board;
    *seconds = (double)timebase * ((double)words[0] * 4294967296.0 + (double)words[1]);
    return OK;
}
