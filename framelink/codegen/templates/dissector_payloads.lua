-- A payload that is read from front to back.  What does not fit is an error: a table of remark and text.

local Reader = {}
Reader.__index = Reader

function Reader:left()
  return self.stop - self.at
end

function Reader:take(size)
  if size > self:left() then error({ remarks.length, "payload ends too early" }) end
  self.at = self.at + size
  return self.tvb(self.at - size, size)
end

function Reader:count(size, big)
  if type(size) == "number" then return size end
  local range = self:take(NUMBERS[size][1])
  return big and range:uint() or range:le_uint()
end

local function raw_number(range, kind, big)
  local size, sign = NUMBERS[kind][1], kind:sub(1, 1)
  local name = sign == "f" and "float" or ((sign == "u" and "uint" or "int") .. (size == 8 and "64" or ""))
  if not big then name = "le_" .. name end
  return range[name](range)
end

local function as_double(raw)
  return type(raw) == "number" and raw or raw:tonumber()
end

-- A whole number × scale + offset has no more decimals than they have: 3 × 0.1 reads 0.3.
local function scaled(field, raw)
  local value = as_double(raw) * field.scale + field.offset
  return field.digits and tonumber(string.format("%." .. field.digits .. "f", value)) or value
end

local function beyond(value, low, high)
  return (low and value < low) or (high and value > high)
end

local function judge_value(item, field, value)
  local limits = field.limits or {}
  if beyond(value, limits.lolo, limits.hihi) then
    item:add_proto_expert_info(remarks.alarm)
  elseif beyond(value, limits.low, limits.high) then
    item:add_proto_expert_info(remarks.warning)
  end
  if beyond(value, field.min, field.max) then item:add_proto_expert_info(remarks.range) end
end

-- Return text as the Info column may have it: with what is no UTF-8 as question marks.
local function shown_text(text)
  local rest = text:gsub("[\194-\223][\128-\191]", ""):gsub("[\224-\239][\128-\191][\128-\191]", "")
  rest = rest:gsub("[\240-\244][\128-\191][\128-\191][\128-\191]", "")
  return rest:find("[\128-\255]") and text:gsub("[\128-\255]", "?") or text
end

-- Each reads one item, adds it to the tree, and returns it as the Info column shows it.

local function unit_of(field)
  return field.unit and (" " .. field.unit) or ""
end

-- Return some bits of a number, as one of Wireshark's.
local function bits_of(whole, from, width)
  return whole:lshift(64 - from - width):rshift(64 - width)
end

local function add_bits(item, node, range, big)
  local whole = big and range:uint64() or range:le_uint64()
  for _, one in ipairs(node.bits) do
    local value, child = bits_of(whole, one.from, one.width), nil
    local number = value:tonumber()
    if one.mask then
      child = big and item:add(one.field, range) or item:add_le(one.field, range)
    elseif one.is_flag then
      child = item:add(one.field, range, number == 1)
    else
      child = item:add(one.field, range, value)
    end
    if one.labels and not one.labels[number] then child:add_proto_expert_info(remarks.label) end
  end
end

local function read_number(node, reader, tree)
  local field = node.about
  local range = reader:take(NUMBERS[field.type][1])
  local raw = raw_number(range, field.type, field.big)
  if field.scale then
    local value = scaled(field, raw)
    local item = tree:add(node.field, range, value)
    item:append_text(unit_of(field) .. " (" .. tostring(raw) .. ")")
    judge_value(item, field, value)
    return tostring(value) .. unit_of(field)
  end
  local item = field.big and tree:add(node.field, range) or tree:add_le(node.field, range)
  if node.bits then
    add_bits(item, node, range, field.big)
    return "0x" .. (type(raw) == "number" and string.format("%x", raw) or raw:tohex())
  end
  item:append_text(unit_of(field))
  if not node.labels then
    judge_value(item, field, as_double(raw))
    return tostring(raw) .. unit_of(field)
  end
  local label = node.labels[as_double(raw)]
  if not label then item:add_proto_expert_info(remarks.label) end
  return label or tostring(raw)
end

local function read_bytes(node, reader)
  local field = node.about
  return reader:take(field.size and reader:count(field.size, field.big) or reader:left())
end

local READERS = {
  bool = function(node, reader, tree)
    local range = reader:take(1)
    tree:add(node.field, range, range:uint() ~= 0)
    return range:uint() ~= 0 and "true" or "false"
  end,
  bytes = function(node, reader, tree)
    local range = read_bytes(node, reader)
    tree:add(node.field, range)
    return tostring(range:bytes())
  end,
  string = function(node, reader, tree)
    local range = read_bytes(node, reader)
    local text = range:len() > 0 and range:raw() or ""
    if type(node.about.size) == "number" then text = text:match("^[^%z]*") end
    if text == "" then
      tree:add(node.field, range, "")
      return '""'
    end
    tree:add_packet_field(node.field, range(0, #text), ENC_UTF_8)
    return '"' .. shown_text(text) .. '"'
  end,
  parameter = function(node, reader, tree)
    local range = reader:take(1)
    reader.parameter = range:uint()
    tree:add(node.field, range)
    for _, one in ipairs(PARAMETERS) do
      if one.id == reader.parameter then return one.name end
    end
    error({ remarks.parameter, "the device has no parameter " .. reader.parameter })
  end,
}

local read_all, read_field

local function read_one(node, reader, tree)
  if node.nodes then
    local from = reader.at
    local item = tree:add(node.field, reader.tvb(from, reader:left()))
    read_all(node.nodes, reader, item)
    item:set_len(reader.at - from)
    return "{…}"
  end
  if node.values then return read_field(node.values[reader.parameter], reader, tree) end
  return (READERS[node.about.type] or read_number)(node, reader, tree)
end

function read_field(node, reader, tree)
  local count = node.about.count
  if not count then return read_one(node, reader, tree) end
  local shown = {}
  if count == "rest" then
    while reader:left() > 0 do shown[#shown + 1] = read_one(node, reader, tree) end
  else
    for _ = 1, reader:count(count, node.about.big) do shown[#shown + 1] = read_one(node, reader, tree) end
  end
  return "[" .. table.concat(shown, ", ") .. "]"
end

function read_all(nodes, reader, tree)
  local shown = {}
  for _, node in ipairs(nodes) do
    if node.about.optional and reader:left() == 0 then break end
    shown[#shown + 1] = node.about.name .. " " .. read_field(node, reader, tree)
  end
  return table.concat(shown, ", ")
end
