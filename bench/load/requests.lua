-- wrk script: sends prepared requests round robin. Arguments: FILE [fresh]
--   FILE   raw HTTP requests, separated by a NUL
--   fresh  each request holds one token with a run of 43 "~", which a new value replaces in every request, and maybe six "#"
--          behind it, which the base62 CRC-32 of the token's text before it replaces (the token begins after "token=")
local bit = require("bit")
local ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
local RANDOM_LENGTH, COUNTER_LENGTH, CHECKSUM_LENGTH = 43, 10, 6
local requests, count, at, templates = {}, 0, 0, nil

local crcTable = {}
for i = 0, 255 do
  local c = i
  for _ = 1, 8 do
    if bit.band(c, 1) == 1 then c = bit.bxor(0xEDB88320, bit.rshift(c, 1)) else c = bit.rshift(c, 1) end
  end
  crcTable[i] = c
end

local function checksum(text)
  local c = -1
  for i = 1, #text do c = bit.bxor(crcTable[bit.band(bit.bxor(c, text:byte(i)), 0xFF)], bit.rshift(c, 8)) end
  c = bit.bnot(c)
  if c < 0 then c = c + 4294967296 end
  local out = ""
  for _ = 1, CHECKSUM_LENGTH do
    local digit = c % 62
    out = ALPHABET:sub(digit + 1, digit + 1) .. out
    c = (c - digit) / 62
  end
  return out
end

local function split(text)
  local parts, from = {}, 1
  while true do
    local zero = text:find("\0", from, true)
    if zero == nil then break end
    parts[#parts + 1] = text:sub(from, zero - 1)
    from = zero + 1
  end
  parts[#parts + 1] = text:sub(from)
  return parts
end

local function template(request)
  local first = request:find(("~"):rep(RANDOM_LENGTH), 1, true)
  local _, equals = request:find("token=", 1, true)
  local rest = request:sub(first + RANDOM_LENGTH)
  local sums = rest:sub(1, CHECKSUM_LENGTH) == ("#"):rep(CHECKSUM_LENGTH)
  local salt = ""
  for _ = 1, RANDOM_LENGTH - COUNTER_LENGTH do
    local n = math.random(62)
    salt = salt .. ALPHABET:sub(n, n)
  end
  return {
    head = request:sub(1, equals),
    token = request:sub(equals + 1, first - 1) .. salt,
    sums = sums,
    tail = sums and rest:sub(CHECKSUM_LENGTH + 1) or rest,
  }
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  requests = split(file:read("*a"))
  file:close()
  count = #requests
  math.randomseed(os.time())
  if args[2] == "fresh" then
    templates = {}
    for i, request in ipairs(requests) do templates[i] = template(request) end
  end
end

function request()
  at = at + 1
  if templates == nil then return requests[(at - 1) % count + 1] end
  local t = templates[(at - 1) % count + 1]
  local token = t.token .. string.format("%010d", at)
  return t.head .. token .. (t.sums and checksum(token) or "") .. t.tail
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), e.status,
    e.connect + e.read + e.write + e.timeout))
end
