"""The device's half of a header: tables for `fl_device`, and what calls the functions that a user writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from framelink.codegen.c_limits import Limits
from framelink.codegen.c_parameters import parameters
from framelink.codegen.c_symbols import Record, Symbols
from framelink.codegen.c_text import INDENT, comment, folded, function
from framelink.codegen.model import Payload, payloads_of
from framelink.message.document import CommandEntry
from framelink.wire import REPLY

_HANDLERS = (
    "Commands.  You write these functions; a request that does not fit, or has a value that is not allowed,"
    " is refused before.  What the request points at holds until the function returns; what the reply points"
    " at must hold longer: it is static, or the request's.  The reply is all zeros at first.  Return FL_OK;"
    " or a code, with the reason in `text` if you like: *text = FL_TEXT(...)."
)
_EVENTS = (
    "Events.  The first function sends one; false if it does not fit, or while fl_device makes a frame.  The"
    " second is for .measure in fl_device_config, with the event's number as .telemetry: it calls the third,"
    " which you write, and which finds the event all zeros."
)


@dataclass(frozen=True)
class _Command:
    """A command that the device answers.

    Attributes:
        request: What it is asked.
        reply: What it answers.
        asked: The request's struct.
        answer: The reply's struct.
        handler: The function that the user writes.
        wrapper: The function that calls it.
        check: The call that tells whether the values asked are allowed; empty if all are.
    """

    request: Payload
    reply: Payload
    asked: Record
    answer: Record
    handler: str
    wrapper: str
    check: str


@dataclass(frozen=True)
class _Refusals:
    """The functions that refuse a request for us: its reply does not fit, or a value is not allowed."""

    too_long: str
    out_of_range: str


def device(symbols: Symbols, limits: Limits) -> list[str]:
    """Return what only the source that serves the device sees."""
    problems = list(_problems(symbols))
    if problems:
        body = [*(f'#error "{one}"' for one in problems), ""]
    else:
        body = [*_conditions(symbols), *parameters(symbols), *_commands(symbols, limits), *_events(symbols)]
    about = f"For the source that serves the device: it defines {symbols.device} before it includes this."
    return [*comment(about), f"#ifdef {symbols.device}", "", *body, "#endif", ""]


def _problems(symbols: Symbols) -> Iterator[str]:
    """Yield why `fl_device` cannot be such a device."""
    entry = symbols.schema.document.device
    if entry.standard and entry.byte_order == "big":
        yield "fl_device's own commands are little-endian: this device needs standard = false"
    for one in symbols.commands:
        reply = one.id | REPLY if one.reply_id is None else one.reply_id
        if one.id & REPLY or reply != one.id | REPLY:
            pair = f"not 0x{one.id:02X} with 0x{reply:02X}"
            yield f"fl_device answers a command below 0x80 with that and 0x80: {pair}"


def _conditions(symbols: Symbols) -> Iterator[str]:
    """Yield what the core must have been compiled with."""
    sequenced = int(symbols.schema.sequenced)
    least = max((symbols.record(one).least + one.sequenced for one in symbols.payloads), default=0)
    yield f"#if FL_SEQUENCED != {sequenced}"
    yield f'#error "compile everything with -DFL_SEQUENCED={sequenced}, as the schema says"'
    yield "#endif"
    yield f"#if FL_MAX_DATA < {least}"
    yield f'#error "compile everything with -DFL_MAX_DATA={least} or more, for the longest payload"'
    yield "#endif"
    yield ""


def _commands(symbols: Symbols, limits: Limits) -> list[str]:
    """Return the handlers' prototypes, what calls them, and the table."""
    commands = [_command(symbols, limits, one) for one in symbols.commands]
    if not commands:
        return []
    table = symbols.type_name("commands")
    refusals = _Refusals(symbols.type_name("too_long"), symbols.type_name("out_of_range"))
    lines = comment(_HANDLERS)
    for one in commands:
        lines += [*comment(one.request.description), *folded(f"{_prototype(one)};")]
    lines += ["", *_refuse(commands, refusals)]
    for one in commands:
        lines += _wrapper(one, refusals)
    return [
        *lines,
        "/* For fl_device_config: .commands and .command_count. */",
        f"static const fl_command {table}[] FL_FLASH = {{",
        *(_row(symbols, one) for one in commands),
        "};",
        f"#define {symbols.constant('command_count')} {len(commands)}U",
        "",
    ]


def _command(symbols: Symbols, limits: Limits, entry: CommandEntry) -> _Command:
    request, reply = payloads_of(symbols.schema, [entry])
    asked = symbols.record(request)
    return _Command(
        request,
        reply,
        asked,
        symbols.record(reply),
        symbols.type_name("on", request.name),
        symbols.type_name("handle", request.name),
        limits.check(asked, "&asked"),
    )


def _prototype(command: _Command) -> str:
    asked = [f"const {command.asked.name} *request"] if command.request.fields else []
    answer = [f"{command.answer.name} *reply"] if command.reply.fields else []
    return (
        f"fl_code {command.handler}({', '.join(['fl_device *device', *asked, *answer, 'const char **text'])})"
    )


def _refuse(commands: list[_Command], names: _Refusals) -> Iterator[str]:
    """Yield the functions that refuse for us: each has its text once."""
    if any(one.reply.fields for one in commands):
        yield from _refusal(names.too_long, "FL_FAILED", "the reply does not fit")
    if any(one.check for one in commands):
        yield from _refusal(names.out_of_range, "FL_BAD_VALUE", "out of range")


def _refusal(name: str, code: str, text: str) -> list[str]:
    body = [f'reply->text = FL_TEXT("{text}");', f"return {code};"]
    return function(f"static fl_code {name}(fl_reply *reply)", body)


def _wrapper(command: _Command, refusals: _Refusals) -> list[str]:
    """Return the function that stands in the table: unpack, handle, pack."""
    head = f"static fl_code {command.wrapper}(fl_device *device, const fl_frame *request, fl_reply *reply)"
    body = [*_take_request(command, refusals), *_give_reply(command, refusals)]
    return function(head, body)


def _take_request(command: _Command, refusals: _Refusals) -> list[str]:
    if not command.request.fields:
        return ["(void)request;"]
    name = command.asked.name
    unpack = f"if (!{name}_unpack(&asked, request->data, request->size))"
    lines = [f"{name} asked;", unpack, f"{INDENT}return FL_BAD_LENGTH;"]
    refuse = (
        [f"if (!{command.check})", f"{INDENT}return {refusals.out_of_range}(reply);"] if command.check else []
    )
    return [*lines, *refuse]


def _give_reply(command: _Command, refusals: _Refusals) -> list[str]:
    asked = ["&asked"] if command.request.fields else []
    answer = ["&answer"] if command.reply.fields else []
    call = f"{command.handler}({', '.join(['device', *asked, *answer, '&reply->text'])})"
    if not answer:
        return [f"return {call};"]
    name = command.answer.name
    return [
        f"{name} answer;",
        "memset(&answer, 0, sizeof answer);",
        f"fl_code code = {call};",
        "if (code != FL_OK)",
        f"{INDENT}return code;",
        "size_t size = 0;",
        f"if (!{name}_pack(&answer, reply->data, FL_MAX_REPLY, &size))",
        f"{INDENT}return {refusals.too_long}(reply);",
        "reply->size = (fl_size)size;",
        "return FL_OK;",
    ]


def _row(symbols: Symbols, command: _Command) -> str:
    """Return the row of a command: number, fewest and most bytes, function."""
    layout = symbols.schema.layout(command.request.name, "request")
    least = layout.size if layout else 0
    most = str(least) if command.asked.is_flat and symbols.schema.version is None else "FL_MAX_DATA"
    return (
        f"{INDENT}{{{symbols.ids.of[command.request.name, 'request']}, {least}, {most}, {command.wrapper}}},"
    )


def _events(symbols: Symbols) -> list[str]:
    lines = comment(_EVENTS) if symbols.events else []
    for one in symbols.events:
        lines += [*comment(one.description), *_send(symbols, one)]
        if one.fields:
            lines += _report(symbols, one)
    return lines


def _send(symbols: Symbols, event: Payload) -> list[str]:
    record = symbols.record(event)
    number = symbols.ids.of[event.name, "event"]
    head = f"static inline FL_MUST_CHECK bool {symbols.type_name('send', event.name)}"
    if not event.fields:
        return function(f"{head}(fl_device *device)", [f"return fl_device_event(device, {number}, NULL, 0);"])
    room = record.size if record.is_flat else "FL_MAX_DATA"
    body = [
        f"uint8_t data[{room}];",
        "size_t size = 0;",
        f"if (!{record.name}_pack(event, data, sizeof data, &size))",
        f"{INDENT}return false;",
        f"return fl_device_event(device, {number}, data, size);",
    ]
    return function(f"{head}(fl_device *device, const {record.name} *event)", body)


def _report(symbols: Symbols, event: Payload) -> list[str]:
    name = symbols.record(event).name
    measure, report = symbols.type_name("measure", event.name), symbols.type_name("report", event.name)
    body = [
        f"{name} event;",
        "size_t size = 0;",
        "memset(&event, 0, sizeof event);",
        f"{measure}(device, &event);",
        f"if (!{name}_pack(&event, data, FL_MAX_DATA, &size))",
        f"{INDENT}size = FL_MAX_DATA + 1U; /* which is not sent */",
        "return (fl_size)size;",
    ]
    return [
        f"void {measure}(fl_device *device, {name} *event);",
        "",
        *function(
            f"static inline fl_size {report}(fl_device *device, uint8_t *data)",
            body,
        ),
    ]
