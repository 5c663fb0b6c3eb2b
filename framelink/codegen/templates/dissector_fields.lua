-- From here on: how the tables above are read.

local device = Proto(FILTER, TITLE)

-- What every frame has.
local STATUS = { [0] = "bad", [1] = "good" }
local part = {
  header = ProtoField.bytes(FILTER .. ".header", "Header"),
  addr = ProtoField.uint8(FILTER .. ".addr", "Address", base.DEC),
  cmd = ProtoField.uint8(FILTER .. ".cmd", "Command", base.HEX),
  len = ProtoField.uint16(FILTER .. ".len", "Length", base.DEC),
  message = ProtoField.string(FILTER .. ".message", "Message"),
  kind = ProtoField.string(FILTER .. ".kind", "Kind"),
  sequence = ProtoField.uint8(FILTER .. ".sequence", "Sequence", base.DEC),
  payload = ProtoField.bytes(FILTER .. ".payload", "Payload"),
  surplus = ProtoField.bytes(FILTER .. ".surplus", "Surplus"),
  check = ProtoField.uint16(FILTER .. ".check", "Check", base.HEX),
  status = ProtoField.uint8(FILTER .. ".check.status", "Check status", base.DEC, STATUS),
  tail = ProtoField.bytes(FILTER .. ".tail", "Tail"),
  noise = ProtoField.bytes(FILTER .. ".noise", "Bytes in no frame"),
}

-- What is worth a remark.
local GROUP, SEVERITY = expert.group, expert.severity
local function remark(name, text, group, severity)
  return ProtoExpert.new(FILTER .. ".expert." .. name, text, group, severity)
end
local remarks = {
  noise = remark("noise", "Bytes in no frame", GROUP.PROTOCOL, SEVERITY.WARN),
  cut = remark("cut", "Frame ends too early", GROUP.MALFORMED, SEVERITY.WARN),
  check = remark("check", "Check is wrong", GROUP.CHECKSUM, SEVERITY.ERROR),
  tail = remark("tail", "Tail is wrong", GROUP.MALFORMED, SEVERITY.ERROR),
  length = remark("length", "Payload does not fit its message", GROUP.MALFORMED, SEVERITY.ERROR),
  surplus = remark("surplus", "Payload has more than this schema knows", GROUP.UNDECODED, SEVERITY.NOTE),
  unknown = remark("unknown", "Unknown command", GROUP.UNDECODED, SEVERITY.WARN),
  parameter = remark("parameter", "Unknown parameter", GROUP.UNDECODED, SEVERITY.ERROR),
  label = remark("label", "Number without a label", GROUP.UNDECODED, SEVERITY.NOTE),
  range = remark("range", "Value beyond what may be sent", GROUP.PROTOCOL, SEVERITY.WARN),
  warning = remark("warning", "Value beyond its warning limit", GROUP.RESPONSE_CODE, SEVERITY.NOTE),
  alarm = remark("alarm", "Value beyond its alarm limit", GROUP.RESPONSE_CODE, SEVERITY.WARN),
  refusal = remark("refusal", "The device refused", GROUP.RESPONSE_CODE, SEVERITY.WARN),
}

local all_fields, all_remarks = {}, {}
for _, one in pairs(part) do all_fields[#all_fields + 1] = one end
for _, one in pairs(remarks) do all_remarks[#all_remarks + 1] = one end

-- Fields of messages: one field of Wireshark's for each, by its place in the message.

local NUMBERS = {
  u8 = { 1, "uint8" }, u16 = { 2, "uint16" }, u32 = { 4, "uint32" }, u64 = { 8, "uint64" },
  i8 = { 1, "int8" }, i16 = { 2, "int16" }, i32 = { 4, "int32" }, i64 = { 8, "int64" },
  f32 = { 4, "float" }, f64 = { 8, "double" },
}

local function add_field(one)
  all_fields[#all_fields + 1] = one
  return one
end

-- Return the place of a field within another: its filter.
local function place_in(path, field)
  return path .. "." .. (field.filter or field.name or field.message)
end

local function labels_of(enum)
  if not enum then return nil end
  local labels = {}
  for _, pair in ipairs(enum) do labels[pair[2]] = pair[1] end
  return labels
end

local function number_field(path, field)
  local kind = NUMBERS[field.type][2]
  if field.scale then return ProtoField.double(path, field.name) end
  if field.bits then return ProtoField[kind](path, field.name, base.HEX) end
  if kind == "float" or kind == "double" then return ProtoField[kind](path, field.name) end
  return ProtoField[kind](path, field.name, base.DEC, labels_of(field.enum))
end

local PLAIN = {
  bool = function(path, field) return ProtoField.bool(path, field.name) end,
  bytes = function(path, field) return ProtoField.bytes(path, field.name) end,
  string = function(path, field) return ProtoField.string(path, field.name) end,
  parameter = function(path, field)
    local names = {}
    for _, one in ipairs(PARAMETERS) do names[one.id] = one.name end
    return ProtoField.uint8(path, field.name, base.DEC, names)
  end,
}

local function bit_field(path, name, kind, bits)
  local size, make = NUMBERS[kind][1], ProtoField[NUMBERS[kind][2]]
  if not bits.is_flag then return make(path, name, base.DEC, bits.labels, bits.mask) end
  return bits.mask and ProtoField.bool(path, name, 8 * size, nil, bits.mask) or ProtoField.bool(path, name)
end

-- Return the fields of a bit field, with the bits that they take.
local function declare_bits(path, field)
  local found, at = {}, 0
  local size = NUMBERS[field.type][1]
  for _, bit_of in ipairs(field.bits) do
    if bit_of.name then
      local bits = { from = at, width = bit_of.width, labels = labels_of(bit_of.enum) }
      bits.is_flag = bit_of.width == 1 and not bits.labels
      bits.mask = size <= 4 and (2 ^ bit_of.width - 1) * 2 ^ at or nil -- larger ones are exact in no Lua
      bits.field = add_field(bit_field(place_in(path, bit_of), bit_of.name, field.type, bits))
      found[#found + 1] = bits
    end
    at = at + bit_of.width
  end
  return found
end

local declare_all

-- Return a field as it is used at one place.
local function declare(path, field)
  local node = { about = field, path = path, labels = labels_of(field.enum) }
  if field.fields then
    node.field = add_field(ProtoField.none(path, field.name))
    node.nodes = declare_all(path, field.fields)
  elseif field.type == "value" then
    node.values = {}
    for _, one in ipairs(PARAMETERS) do node.values[one.id] = declare(place_in(path, one), one) end
  else
    node.field = add_field((PLAIN[field.type] or number_field)(path, field))
    if field.bits then node.bits = declare_bits(path, field) end
  end
  return node
end

function declare_all(path, fields)
  local nodes = {}
  for _, field in ipairs(fields) do nodes[#nodes + 1] = declare(place_in(path, field), field) end
  return nodes
end

local by_cmd = {}
for _, payload in ipairs(PAYLOADS) do
  payload.nodes = declare_all(place_in(FILTER .. "." .. payload.kind, payload), payload.fields)
  by_cmd[payload.cmd] = payload
end
device.fields = all_fields
device.experts = all_remarks
