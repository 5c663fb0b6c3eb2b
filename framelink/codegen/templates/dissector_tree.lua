-- What is shown.

local function show_payload(payload, data, frame_tree)
  local reader = setmetatable({ tvb = data.tvb, at = data.at, stop = data.stop }, Reader)
  local tree = frame_tree:add(part.payload, data.tvb(data.at, data.stop - data.at))
  local fine, shown = pcall(read_all, payload.nodes, reader, tree)
  if not fine then
    if type(shown) ~= "table" then error(shown, 0) end
    tree:add_proto_expert_info(shown[1], payload.message .. ": " .. shown[2])
    return shown[2]
  end
  if reader:left() > 0 then
    local left = tree:add(part.surplus, reader:take(reader:left()))
    left:add_proto_expert_info(VERSIONED and remarks.surplus or remarks.length)
  end
  if payload.refusal then tree:add_proto_expert_info(remarks.refusal, "The device refused: " .. shown) end
  return shown
end

-- Return where the sequence byte stands, counted from the payload's first byte.
local function sequence_place(payload, first)
  local is_of_sequenced = SEQUENCED[1] and first and first >= SEQUENCED[1] and first <= SEQUENCED[2]
  if payload.refusal then return is_of_sequenced and 2 or nil end
  return payload.sequenced and 0 or nil
end

-- Return the payload without its sequence byte, which is added to the tree.
local function without_sequence(payload, tvb, at, size, tree)
  local first = size > 0 and tvb(at, 1):uint() or nil
  local place = sequence_place(payload, first)
  if not place then return { tvb = tvb, at = at, stop = at + size } end
  if place >= size then return nil end
  tree:add(part.sequence, tvb(at + place, 1))
  if place == 0 then return { tvb = tvb, at = at + 1, stop = at + size } end
  local bytes = tvb(at, place):bytes() .. tvb(at + place + 1, size - place - 1):bytes()
  return { tvb = bytes:tvb("Payload without its sequence byte"), at = 0, stop = size - 1 }
end

local function show_message(frame, tvb, tree)
  local cmd = frame.places.cmd and frame.places.cmd.value
  local payload = by_cmd[cmd]
  local size = frame.size
  if not payload then
    if size > 0 then tree:add(part.payload, tvb(frame.data - 1, size)) end
    tree:add_proto_expert_info(remarks.unknown)
    return cmd and string.format("unknown command 0x%02x", cmd) or "no command"
  end
  tree:add(part.message, payload.message):set_generated()
  tree:add(part.kind, payload.kind):set_generated()
  local data, shown = without_sequence(payload, tvb, frame.data - 1, size, tree), "no sequence byte"
  if data then
    shown = show_payload(payload, data, tree)
  else
    tree:add_proto_expert_info(remarks.length, payload.message .. ": " .. shown)
  end
  return payload.message .. " " .. payload.kind .. (shown ~= "" and ": " .. shown or "")
end

local function show_check(frame, tvb, tree, is_good)
  if FORMAT.check_size > 0 then
    local range = tvb(frame.check - 1, FORMAT.check_size)
    local item = FORMAT.check_big and tree:add(part.check, range) or tree:add_le(part.check, range)
    item:append_text(is_good and " (good)" or string.format(" (bad, should be 0x%04x)", frame.expected))
    tree:add(part.status, is_good and 1 or 0):set_generated()
    if not is_good then item:add_proto_expert_info(remarks.check) end
  end
  if #FORMAT.tail > 0 then tree:add(part.tail, tvb(frame.tail - 1, #FORMAT.tail)) end
end

local function show_head(frame, tvb, tree)
  tree:add(part.header, tvb(frame.start - 1, math.min(#FORMAT.header, frame.stop - frame.start + 1)))
  for _, name in ipairs(FORMAT.fields) do
    local place = frame.places[name]
    if place then tree:add(part[name], tvb(place.at - 1, place.size), place.value) end
  end
end

local function show_frame(frame, tvb, root)
  local tree = root:add(device, tvb(frame.start - 1, frame.stop - frame.start + 1))
  local wrong = {}
  for _, name in ipairs(frame.wrong) do wrong[name] = true end
  show_head(frame, tvb, tree)
  if wrong.cut then
    tree:add_proto_expert_info(remarks.cut)
    return "a frame that ends too early"
  end
  if wrong.tail then tree:add_proto_expert_info(remarks.tail) end
  local shown = show_message(frame, tvb, tree)
  show_check(frame, tvb, tree, not wrong.check)
  if frame.places.addr then shown = "addr " .. frame.places.addr.value .. " " .. shown end
  tree:append_text(", " .. shown)
  return shown .. (wrong.check and " [bad check]" or "") .. (wrong.tail and " [bad tail]" or "")
end

local function show_noise(tvb, from, stop, root)
  local item = root:add(device, tvb(from - 1, stop - from + 1)):append_text(", bytes in no frame")
  item:add(part.noise, tvb(from - 1, stop - from + 1)):add_proto_expert_info(remarks.noise)
  return (stop - from + 1) .. " bytes in no frame"
end

-- A packet is what came at a time: part of a stream, with any number of frames, and what is in none.
function device.dissector(tvb, pinfo, root)
  local raw, at, told = tvb:raw(0, tvb:len()), 1, {}
  while at <= #raw do
    local frame = next_frame(raw, at)
    local noise_stop = frame and frame.start - 1 or #raw
    if noise_stop >= at then told[#told + 1] = show_noise(tvb, at, noise_stop, root) end
    if frame then told[#told + 1] = show_frame(frame, tvb, root) end
    at = frame and frame.stop + 1 or #raw + 1
  end
  pinfo.cols.protocol = NAME
  pinfo.cols.info = table.concat(told, " | "):gsub("%c", " ")
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, device)
