-- Frames among the bytes.

local bxor, band, rshift, lshift = bit.bxor, bit.band, bit.rshift, bit.lshift

local function crc_table()
  local found = {}
  for byte = 0, 255 do
    local crc = FORMAT.crc.reflected and byte or lshift(byte, 8)
    for _ = 1, 8 do
      if FORMAT.crc.reflected then
        crc = band(crc, 1) == 1 and bxor(rshift(crc, 1), FORMAT.crc.poly) or rshift(crc, 1)
      else
        crc = band(bxor(lshift(crc, 1), band(crc, 0x8000) ~= 0 and FORMAT.crc.poly or 0), 0xffff)
      end
    end
    found[byte] = crc
  end
  return found
end

local CRC_TABLE = FORMAT.crc and crc_table()

local function crc16(text)
  local crc = FORMAT.crc.init
  for at = 1, #text do
    if FORMAT.crc.reflected then
      crc = bxor(rshift(crc, 8), CRC_TABLE[band(bxor(crc, text:byte(at)), 0xff)])
    else
      crc = bxor(band(lshift(crc, 8), 0xffff), CRC_TABLE[bxor(rshift(crc, 8), text:byte(at))])
    end
  end
  return bxor(crc, FORMAT.crc.xor_out)
end

local function folded(fold, modulus)
  return function(text)
    local value = 0
    for at = 1, #text do value = fold(value, text:byte(at)) % modulus end
    return value
  end
end

local function plus(one, other) return one + other end

local CHECKS = {
  crc16 = crc16,
  sum8 = folded(plus, 0x100),
  sum16 = folded(plus, 0x10000),
  xor8 = folded(bxor, 0x100),
  none = function() return 0 end,
}

local function number_at(raw, at, size, big)
  local value = 0
  for step = 0, size - 1 do
    local byte = raw:byte(at + step)
    value = big and value * 256 + byte or value + byte * 256 ^ step
  end
  return value
end

local HEAD_SIZE = #FORMAT.header + FORMAT.length_size + #FORMAT.fields - 1
local OVERHEAD = HEAD_SIZE + FORMAT.check_size + #FORMAT.tail

-- Return the frame that begins at an offset from 1 up: what it has, and what is wrong; nil if none can.
local function frame_at(raw, start)
  if start + HEAD_SIZE - 1 > #raw then
    return { start = start, stop = #raw, wrong = { "cut" }, places = {} }
  end
  local places, at = {}, start + #FORMAT.header
  for _, name in ipairs(FORMAT.fields) do
    local size = name == "len" and FORMAT.length_size or 1
    places[name] = { at = at, size = size, value = number_at(raw, at, size, FORMAT.length_big) }
    at = at + size
  end
  local size = places.len.value - (FORMAT.length_counts_frame and OVERHEAD or 0)
  if size < 0 or size > FORMAT.max_data then return nil end
  local frame = { start = start, places = places, data = at, size = size, wrong = {} }
  frame.check = at + size
  frame.tail = frame.check + FORMAT.check_size
  frame.stop = frame.tail + #FORMAT.tail - 1
  if frame.stop > #raw then
    frame.stop, frame.wrong = #raw, { "cut" }
    return frame
  end
  local covered = raw:sub(start + (FORMAT.check_covers_header and 0 or #FORMAT.header), frame.check - 1)
  frame.expected = CHECKS[FORMAT.check](covered)
  if raw:sub(frame.tail, frame.stop) ~= FORMAT.tail then frame.wrong[1] = "tail" end
  if number_at(raw, frame.check, FORMAT.check_size, FORMAT.check_big) ~= frame.expected then
    frame.wrong[#frame.wrong + 1] = "check"
  end
  return frame
end

local function next_candidate(raw, from)
  local start = raw:find(FORMAT.header, from, true)
  while start do
    local frame = frame_at(raw, start)
    if frame then return frame end
    start = raw:find(FORMAT.header, start + 1, true)
  end
end

-- Return the next frame.  A wrong one counts if at most one thing is wrong, and no right one begins in it.
local function next_frame(raw, from)
  local first
  local frame = next_candidate(raw, from)
  while frame do
    if first and first.stop < frame.start then return first end
    if #frame.wrong == 0 then return frame end
    if not first and #frame.wrong == 1 then first = frame end
    frame = next_candidate(raw, frame.start + 1)
  end
  return first
end
