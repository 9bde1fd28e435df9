-- One step: a message gets its position, is announced, published and kept; or nothing of it happens.
-- A server that takes no writes (no memory, a replica, a disk that is full) says so at the first of them, and that stands
-- before what is published. An answer of UNKEPT says that the message was published, and that keeping it has failed.
-- KEYS: 1 stream, 2 log
-- ARGV: 1 channel, 2 message, 3 announcing channel, 4 run, 5 messages, 6 bytes, 7 age in ms, 8 life of the log in ms
local stream, log = KEYS[1], KEYS[2]
local size, age = #ARGV[2], tonumber(ARGV[7])
redis.call('XLEN', stream)  -- fails here and not below, should the key be another's
local known = redis.call('HMGET', log, 'epoch', 'offset', 'run', 'bytes', 'swept')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local epoch, offset = tonumber(known[1]), tonumber(known[2])
local bytes, swept = tonumber(known[4]) or 0, tonumber(known[5]) or 0
local isNew = not (epoch and offset)
local run = ARGV[4]
if isNew then
  epoch, offset, bytes, swept = time[1] * 1000000 + time[2], 0, 0, 0
elseif run == '' then
  run = known[3] or ''  -- It does not matter to this program. It may to others.
elseif known[3] ~= run then
  epoch, offset = math.max(epoch + 1, time[1] * 1000000 + time[2]), 0
end
offset = offset + 1
bytes = bytes + size
local epochText, offsetText = string.format('%.0f', epoch), string.format('%.0f', offset)
local id = epochText .. '-' .. offsetText
redis.call('HSET', log, 'epoch', epochText, 'offset', offsetText, 'run', run, 'bytes', bytes)
if isNew then redis.call('DEL', stream) end

local function isRefused(answer) return type(answer) == 'table' and answer.err end
local sent = redis.pcall('PUBLISH', ARGV[3], id .. ' ' .. size)
if not isRefused(sent) then
  sent = redis.pcall('PUBLISH', ARGV[1], ARGV[2])
  if isRefused(sent) then redis.call('PUBLISH', ARGV[3], '-') end
end
if isRefused(sent) then
  if isNew then
    redis.call('DEL', log)
  else
    redis.call(
      'HSET', log, 'epoch', known[1], 'offset', known[2], 'run', known[3] or '', 'bytes', known[4] or '0')
  end
  return sent
end

local function add()
  return redis.pcall(
    'XADD', stream, 'MAXLEN', ARGV[5], id, 'message', ARGV[2], 'time', string.format('%.0f', now))
end
local function keep()
  local added = add()
  if isRefused(added) and string.find(added.err, ' ID', 1, true) then
    -- Somebody else has added what comes later, so the stream takes no position any more: it begins anew with this one.
    redis.call('DEL', stream)
    added, bytes = add(), size
    redis.call('HSET', log, 'bytes', bytes)
  end
  if isRefused(added) then error(added, 0) end
  local room = tonumber(ARGV[6])
  if bytes > room then
    -- What MAXLEN took is still counted. Count anew, from the newest on, and leave an eighth free.
    local kept, upper, isFull = 0, '+', false
    bytes = 0
    repeat
      local some = redis.call('XREVRANGE', stream, upper, '-', 'COUNT', 16)
      for _, entry in ipairs(some) do
        if entry[1] ~= upper then
          if kept > 0 and bytes + #entry[2][2] > room - room / 8 then isFull = true break end
          kept, bytes = kept + 1, bytes + #entry[2][2]
        end
      end
      if #some > 0 then upper = some[#some][1] end
    until isFull or #some < 16
    redis.call('XTRIM', stream, 'MAXLEN', kept)
    redis.call('HSET', log, 'bytes', bytes)
  end
  if now - swept > age / 8 then
    local old = 0
    repeat
      local some, before = redis.call('XRANGE', stream, '-', '+', 'COUNT', 16), old
      for _, entry in ipairs(some) do
        if (tonumber(entry[2][4]) or 0) >= now - age then break end
        redis.call('XDEL', stream, entry[1])
        old = old + 1
      end
    until old - before < 16
    redis.call('HSET', log, 'swept', string.format('%.0f', now))
    redis.call('PEXPIRE', stream, string.format('%.0f', age + age / 4))
    redis.call('PEXPIRE', log, ARGV[8])
  end
end
local isKept, failure = pcall(keep)
if isKept then return id end
local text = type(failure) == 'table' and failure.err or tostring(failure)
return {err = 'UNKEPT ' .. string.gsub(text, '^-', '')}
