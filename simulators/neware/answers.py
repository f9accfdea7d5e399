"""What a BTS Client answers: one function for every command, misspelt where it misspells."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from simulators.neware.channel import PAGE, Channel, Test
from simulators.neware.memory import Memory
from simulators.neware.step_file import Kind
from simulators.neware.step_run import Data
from simulators.neware.wire import Value, answer, element, listed, shown

ADDRESS = "127.0.0.1"
"""The server's, as its client PC sees it."""

DEVICE_TYPE = 27
"""BTS 85."""

MOST_LOG_LINES = 5000

RUNNING_CODE = 102000
"""`log_code` of a channel that works."""


ROW = (
    '<data seqid="%d" stepid="%d" cycleid="%d" steptype="%s" testtime="%d" atime="%s" '
    'volt="%.15g" curr="%.15g" cap="%.15g" eng="%.15g" />'
)

WORDS = {float(kind): kind.word for kind in Kind}


class Answers:
    """Phrases what the channels show. `began` is the wall-clock moment at which their time was nought."""

    def __init__(self, began: datetime) -> None:
        self._began = began

    def device_info(self, channels: Sequence[Channel]) -> bytes:
        known = [
            element(
                "channel",
                where(channel, "Channelid"),
                "false" if channel.working else "true",
            )
            for channel in channels
        ]
        server = [element("server", {"ip": ADDRESS, "port": 3306})]
        return answer("getdevinfo_resp", *listed(server, "serverip"), *listed(known, "middle"))

    def status(self, channels: Sequence[Channel]) -> bytes:
        lines = [element("status", {**where(one), "reservepause": 1}, one.status.value) for one in channels]
        return answer("getchlstatus_resp", *listed(lines))

    def inquire(self, channels: Sequence[Channel]) -> bytes:
        return answer("inquire_resp", *listed([_inquired(channel) for channel in channels]))

    def inquire_data(self, channels: Sequence[Channel]) -> bytes:
        lines = []
        for channel in channels:
            test = channel.test
            count = 0 if test is None else channel.count(test)
            whole = test is None or (not channel.working and count == len(test.execution.records))
            facts = {**_device(channel), "testid": test.number if test else 0, "count": count}
            lines.append(element("chl", facts, "true" if whole else "false"))
        return answer("inquiredf_resp", *listed(lines))

    def done(self, command: str, outcomes: Sequence[tuple[Channel, bool]]) -> bytes:
        """Return `ok` or `false` for each channel."""
        lines = [element(command, where(one), "ok" if good else "false") for one, good in outcomes]
        return answer(f"{command}_resp", *listed(lines))

    def download(self, channel: Channel, test: Test | None, start: int, count: int) -> bytes:
        first = max(1, start)  # records are asked for as `from here on, so many`
        stop = min(first + min(count, PAGE), (0 if test is None else channel.count(test)) + 1)
        lines = [] if test is None else self._records(test.execution.records, first, stop)
        head = {
            **_device(channel),
            "testid": test.number if test else 0,
            "startpos": start,
            "count": count,
            "auxid": 0,
        }
        return answer("donwload_resp", element("download", head), *listed(lines))

    def log(self, channel: Channel, test: Test | None) -> bytes:
        entries = [] if test is None else test.log[:MOST_LOG_LINES]
        lines = [
            element("data", {"seqid": e.seqid, "log_code": e.code, "atime": self._date(e.moment)})
            for e in entries
        ]
        head = {**_device(channel), "testid": test.number if test else 0, "log_lever": 0}
        return answer("donwloadlog_resp", element("download", head), *listed(lines))

    def step_layer(self, channel: Channel, test: Test | None) -> bytes:
        rows = [] if test is None else test.execution.layer
        records = Memory() if test is None else test.execution.records
        lines = [
            self._layer(index, row.first, records[row.first], row.last, records[row.last])
            for index, row in enumerate(rows, start=1)
        ]
        head = {**_device(channel), "testid": test.number if test else 0}
        return answer("downloadStepLayer_resp", element("downloadStepLayer", head), *listed(lines))

    def _layer(self, index: int, at: int, first: Data, end: int, last: Data) -> str:
        facts: dict[str, Value] = {
            "startseqid": at,
            "endseqid": end,
            "stepindex": index,
            "stepid": last.stepid,
            "cycleid": last.cycleid,
            "steptype": last.kind.word,
            "steptime": round(1000.0 * last.testtime),
            "endatime": self._date(last.moment),
            "startvolt": _number(first.volts),
            "endvolt": _number(last.volts),
            "startcurr": _number(first.amperes),
            "endcurr": _number(last.amperes),
            "cap": _number(last.coulombs / 3600.0),
            "eng": _number(last.joules / 3600.0),
            "dcir": 0,
        }
        return element("data", facts)

    def _records(self, records: Memory, start: int, stop: int) -> list[str]:
        date, second, lines = "", -1, []
        for seqid, values in enumerate(records.rows(start, stop), start=start):
            stepid, cycleid, kind, testtime, moment, volts, amperes, coulombs, joules = values
            if int(moment) != second:
                second = int(moment)
                date = self._date(moment)
            milliseconds = round(1000.0 * testtime)
            amounts = (volts, amperes, coulombs / 3600.0, joules / 3600.0)
            lines.append(ROW % (seqid, stepid, cycleid, WORDS[kind], milliseconds, date, *amounts))
        return lines

    def _date(self, moment: float) -> str:
        return (self._began + timedelta(seconds=moment)).isoformat(" ", "seconds")


def _number(value: float) -> str:
    return f"{value:.15g}"


def _device(channel: Channel, chlid: str = "chlid") -> dict[str, Value]:
    devid, subdevid, number = channel.place.split("-")
    return {"devtype": DEVICE_TYPE, "devid": devid, "subdevid": subdevid, chlid: number}


def where(channel: Channel, chlid: str = "chlid") -> dict[str, Value]:
    """Return the attributes that say which channel it is."""
    return {"ip": ADDRESS, **_device(channel, chlid)}


def _inquired(channel: Channel) -> str:
    dev = f"{DEVICE_TYPE}-{channel.place}-0"
    test, status = channel.test, channel.status
    barcode = "" if test is None else test.barcode
    count = 0 if test is None else channel.count(test)
    if test is None or not count or status.value != "working":
        facts: dict[str, Value] = {"dev": dev, "cycle_id": 1, "step_type": "--"}
        facts |= {"workstatus": status.value, "barcode": barcode, "current": 0}
        facts["voltage"] = shown(channel.measured().volts, 4)
        zeros = ("capacity", "energy", "totaltime", "relativetime", "open_or_close", "log_code")
        return element("inquire", {**facts, **dict.fromkeys(zeros, 0)})
    data = test.execution.records[count]
    return element(
        "inquire",
        {
            "dev": dev,
            "cycle_id": data.cycleid,
            "step_id": data.stepid,
            "step_type": data.kind.word,
            "workstatus": status.value,
            "barcode": barcode,
            "current": shown(data.amperes, 4),
            "voltage": shown(data.volts, 4),
            "capacity": shown(data.coulombs / 3600.0, 4),
            "energy": shown(data.joules / 3600.0, 4),
            "totaltime": shown(data.moment - test.began, 1),
            "relativetime": shown(data.testtime, 1),
            "open_or_close": 0,
            "log_code": RUNNING_CODE,
        },
    )
