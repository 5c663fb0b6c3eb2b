"""The page's logic that needs no browser, under node: series, rates, the logbook, typed values, texts."""

from __future__ import annotations

from tests.support.node import run_module


def test_a_series_is_bounded_and_keeps_the_newest() -> None:
    """Every column alike."""
    result = run_module("""
        import { MAX_POINTS, Series } from "./series.js";
        const series = new Series(["a", "b"], 100);
        let most = 0;
        for (let n = 0; n < 1000; n += 1) { series.add(n, { a: n, b: -n }); most = Math.max(most, series.length); }
        const [times, a, b] = series.data(["a", "b"]);
        report([most, times.length === a.length && a.length === b.length, series.last, a.at(-1), b.at(-1), series.first > 890]);
    """)
    assert result == [100, True, 999, 999, -999, True]


def test_a_series_breaks_where_nothing_came_and_has_holes_for_what_is_no_number() -> None:
    """A break is a point without values; booleans are 0 and 1."""
    result = run_module("""
        import { Series } from "./series.js";
        const series = new Series(["a"]);
        series.add(1, { a: 1 }, 5);
        series.add(6, { a: true }, 5);
        series.add(12, { a: "none" }, 5);
        series.add(13, {}, 5);
        report(series.data(["a"]));
    """)
    assert result == [[1, 6, 9, 12, 13], [1, 1, None, None, None]]


def test_a_series_survives_clocks_that_go_back() -> None:
    """By a little: held still; by more: begun anew, for a plot's times must not go back."""
    result = run_module("""
        import { Series } from "./series.js";
        const series = new Series(["a"]);
        series.add(100, { a: 1 });
        series.add(99.5, { a: 2 });
        const held = structuredClone(series.data(["a"]));
        series.add(50, { a: 3 });
        report([held, series.data(["a"])]);
    """)
    assert result == [[[100, 100], [1, 2]], [[50], [3]]]


def test_a_series_can_be_seen_as_it_was() -> None:
    """Without what came since then; whole if nothing did."""
    result = run_module("""
        import { Series } from "./series.js";
        const series = new Series(["a"]);
        for (const at of [1, 2, 3]) series.add(at, { a: 10 * at });
        report([series.data(["a"], 2.5), series.data(["a"], 2), series.data(["a"], 0), series.data(["a"], 3), new Series(["a"]).data(["a"], 1)]);
    """)
    assert result == [[[1, 2], [10, 20]], [[1, 2], [10, 20]], [[], []], [[1, 2, 3], [10, 20, 30]], [[], []]]


def test_a_pulse_is_stale_after_five_seconds_or_four_periods() -> None:
    """A device that speaks rarely is given its time; one long silence does not make it slow."""
    result = run_module("""
        import { Pulse } from "./pulse.js";
        const beat = (...times) => { const pulse = new Pulse(); times.forEach((at) => pulse.beat(at)); return pulse; };
        report([
          beat().isStale(0), beat(0).isStale(5000), beat(0).isStale(5001), beat(0, 100).patience,
          beat(0, 10000, 20000).patience, beat(0, 60000, 60100).patience, beat(0, 1e6, 2e6).patience, beat(7).age(10),
        ]);
    """)
    assert result == [True, False, True, 5000, 40000, 5000, 120000, 3]


def test_a_rate_is_over_the_last_seconds_and_survives_a_counter_that_starts_anew() -> None:
    """Growth a second."""
    result = run_module("""
        import { Rate } from "./pulse.js";
        const rate = new Rate();
        const seen = [];
        for (let s = 0; s < 10; s += 1) seen.push(rate.take(s * 1000, s * 5));
        seen.push(rate.take(10000, 100), rate.take(11000, 3), rate.take(12000, 7));
        report(seen);
    """)
    assert result == [0, 5, 5, 5, 5, 5, 5, 5, 5, 5, 65 / 3, 0, 4]


FRAMES = """
    import { Logbook, MAX_KEPT } from "./logbook.js";
    const frame = (n, more = {}) => ({ link: "left", addr: 2, cmd: 0x20, data: "0102ff", timestamp: n, n, ...more });
    const book = new Logbook();
    const numbers = (entries) => entries.map((one) => one.n);
"""


def test_a_logbook_gives_the_newest_and_keeps_a_bound() -> None:
    """Whether it is looked at every frame or after many; what was never looked at is counted."""
    result = run_module(
        FRAMES
        + """
        for (let n = 0; n < 10; n += 1) book.add(frame(n));
        const some = numbers(book.take(3));
        const again = numbers(book.take(3));
        let most = 0;
        for (let n = 10; n < 9000; n += 1) { book.add(frame(n)); book.take(5); most = Math.max(most, book.size); }
        const looked = book.lost;
        for (let n = 9000; n < 29000; n += 1) { book.add(frame(n)); most = Math.max(most, book.waiting); }
        const [last] = book.take(1);
        report([some, again, most < MAX_KEPT + 500, looked, last.n, book.lost >= 18000 - 500 && book.lost <= 18000]);
    """
    )
    assert result == [[7, 8, 9], [], True, 0, 28999, True]


def test_a_logbook_is_filtered_by_words_to_contain_and_to_leave_out() -> None:
    """In names, numbers, fields and bytes, spaced or not, whatever their case."""
    result = run_module(
        FRAMES
        + """
        book.add(frame(1, { message: "motor", fields: { speed: 7, fault: "none" } }));
        book.add(frame(2, { cmd: 0x84, message: "set", fields: { parameter: "load", value: 3 } }));
        book.add(frame(3, { data: "" }));
        book.add({ note: "12 frames were missed", n: 4 });
        book.take(10);
        const found = {};
        for (const words of ["", "SPEED=7", "reply", "0x84 load", "motor fault=none", "02 ff", "0102ff", "-motor", "missed", "-", "x"]) {
          book.filter = words;
          found[words] = [numbers(book.find(10)), book.filtered];
        }
        report(found);
    """
    )
    everything = [1, 2, 3, 4]
    assert result == {
        "": [everything, False], "SPEED=7": [[1], True], "reply": [[2], True], "0x84 load": [[2], True],
        "motor fault=none": [[1], True], "02 ff": [[1, 2], True], "0102ff": [[1, 2], True],
        "-motor": [[2, 3, 4], True], "missed": [[4], True], "-": [everything, False], "x": [[1, 2, 3], True],
    }  # fmt: skip


def test_a_paused_logbook_gives_nothing_and_loses_nothing() -> None:
    """Until it goes on."""
    result = run_module(
        FRAMES
        + """
        book.paused = true;
        book.add(frame(1)); book.add(frame(2));
        const meanwhile = [book.take(10), book.waiting, book.size];
        book.paused = false;
        const after = numbers(book.take(10));
        book.clear();
        report([meanwhile, after, book.size, numbers(book.find(10))]);
    """
    )
    assert result == [[[], 2, 0], [1, 2], 0, []]


def test_typed_values_become_what_is_sent_or_say_what_is_allowed() -> None:
    """Numbers decimal or hex within their limits, lists, bytes in any usual writing."""
    result = run_module("""
        import { bytesOf, isSigned, numberOf, numbersOf, rangeOf } from "./values.js";
        const said = (read, text, field) => { try { return read(text, { name: "x", ...field }); } catch (error) { return error.message; } };
        const u8 = { type: "u8" }, i16 = { type: "i16" }, scaled = { type: "u16", scale: 0.1 };
        report([
          said(numberOf, " 0x1F ", u8), said(numberOf, "256", u8), said(numberOf, "-1", u8), said(numberOf, "1.5", u8),
          said(numberOf, "-32768", i16), said(numberOf, "1,5", scaled), said(numberOf, "", u8), said(numberOf, "1e999", { type: "f32" }),
          said(numberOf, "5", { ...u8, min: 6 }), said(numberOf, "9", { type: "f32", max: 8 }), said(numberOf, "5", { type: "f32", min: 6 }),
          said(numbersOf, "1 2;3", { ...u8, count: 3 }), said(numbersOf, "1 2", { ...u8, count: 3 }),
          said(bytesOf, "0x01, 02:FF"), said(bytesOf, ""), said(bytesOf, "1"), said(bytesOf, "zz"),
          rangeOf({}), rangeOf({ min: -1, max: 2 }), rangeOf({ max: 2 }), rangeOf({ min: 0 }),
          [u8, i16, scaled, { type: "f32" }, { type: "f32", min: 0 }].map(isSigned),
        ]);
    """)
    assert result == [
        31, "x must be 0 to 255", "x must be 0 to 255", "x must be a whole number",
        -32768, 1.5, "x must be a number", "x must be a number",
        "x must be 6 to 255", "x must be at most 8", "x must be at least 6",
        [1, 2, 3], "x must be 3 numbers with spaces between",
        "0102ff", "", "x must be pairs of hex digits such as 01 02 FF", "x must be pairs of hex digits such as 01 02 FF",
        "", "-1 to 2", "at most 2", "at least 0",
        [False, True, True, True, False],
    ]  # fmt: skip


def test_values_read_as_their_schema_wants() -> None:
    """Decimals, units, lists, no noise of 32-bit floats, and nothing where JSON had no number."""
    result = run_module("""
        import { ageText, bytesText, fieldsText, hex, quantity, spacedHex, valueText } from "./text.js";
        report([
          valueText(0.5, { decimals: 3 }), valueText(0.10000000149011612), valueText(12345678901), valueText(null), valueText(true),
          valueText([1, 0, 2]), quantity(3, { unit: "rpm" }), fieldsText({ a: 1, b: "x" }, [{ name: "a", unit: "V" }]),
          hex(10), spacedHex("010203", 2), spacedHex("", 2), bytesText(1234), bytesText(12345678), bytesText(2.5e9),
          ageText(100), ageText(7000), ageText(180000), ageText(7200000),
        ]);
    """)
    assert result == [
        "0.500", "0.1", "12345678901", "–", "true",
        "1, 0, 2", "3 rpm", "a=1 V  b=x",
        "0x0A", "01 02 … +1", "", "1,234 B", "12.3 MB", "2.5 GB",
        "now", "7 s ago", "3 min ago", "2 h ago",
    ]  # fmt: skip


def test_values_with_parts_read_as_their_parts() -> None:
    """A bit field shows the flags that are set by name; a struct its fields; lists of either too."""
    result = run_module("""
        import { valueText } from "./text.js";
        report([
          valueText({ ready: true, fault: false, mode: "fast" }), valueText({ fault: false }), valueText([{ x: 1, y: -2 }, { x: 0.5, y: 3 }]),
        ]);
    """)
    assert result == ["ready mode=fast", "none", "x=1 y=-2, x=0.5 y=3"]


def test_a_value_beyond_an_alarm_limit_says_which() -> None:
    """The outer limit before the inner one; on a limit is not beyond it; what is no number has none."""
    result = run_module("""
        import { alarmOf } from "./text.js";
        const field = { limits: { lolo: -10, low: 0, high: 80, hihi: 100 } };
        report([-11, -10, -0.1, 0, 80, 81, 100.5, "hot", null].map((value) => alarmOf(value, field)).concat(alarmOf(5, {})));
    """)
    assert result == ["lolo", "low", "low", "", "", "high", "hihi", "", "", ""]


def test_parts_are_typed_as_json() -> None:
    """And what is none is refused with an example."""
    result = run_module("""
        import { partsOf } from "./values.js";
        const field = { name: "corner" };
        const problem = (text) => { try { return partsOf(text, field); } catch (error) { return error.message; } };
        report([problem('{"x": 1}'), problem("[1, 2]"), problem("x=1")]);
    """)
    assert result == [{"x": 1}, [1, 2], 'corner must be JSON such as {"x": 1} or [1, 2]']
