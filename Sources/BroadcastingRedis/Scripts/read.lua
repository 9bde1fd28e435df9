-- One page of a history, or its head alone.
-- Answer: the head, '1' where the page reaches it, then for each message its position, its age in ms, itself.
-- KEYS: 1 stream, 2 log
-- ARGV: 1 'open', 'head', 'last' or 'after', 2 how many, or a position, 3 run, 4 age in ms, 5 most messages, 6 most bytes,
-- 7 life of the log in ms
-- 'open' is for who listens from now on: it begins the log where there is none, so that its loss shows as another epoch.
-- An empty run leaves the one that is known.
local stream, log = KEYS[1], KEYS[2]
local known = redis.call('HMGET', log, 'epoch', 'offset', 'run')
local time = redis.call('TIME')
local epoch, offset = tonumber(known[1]), tonumber(known[2])
local isNew = not (epoch and offset)
if isNew and ARGV[1] ~= 'open' then return {'0-0', '1'} end
if isNew or (ARGV[3] ~= '' and known[3] ~= ARGV[3]) then
  if isNew then redis.call('XLEN', stream) end  -- fails here and not below, should the key be another's
  epoch, offset = math.max((epoch or 0) + 1, time[1] * 1000000 + time[2]), 0
  local kept = redis.pcall(
    'HSET', log, 'epoch', string.format('%.0f', epoch), 'offset', '0', 'run', ARGV[3])
  if type(kept) == 'table' and kept.err then
    if not string.find(kept.err, '^-?OOM') then return kept end
    -- Without memory there will be another epoch later. Until then nothing is recorded either, and all can be read.
    if isNew then return {'0-0', '1'} end
  elseif isNew then
    redis.call('DEL', stream)
    redis.call('PEXPIRE', log, ARGV[7])
  end
end
local function text(epoch, offset) return string.format('%.0f-%.0f', epoch, offset) end
local reply = {text(epoch, offset), '1'}
if ARGV[1] == 'head' or ARGV[1] == 'open' then return reply end
local function behind(id)
  local dash = string.find(id, '-', 1, true)
  return string.sub(id, 1, dash) .. string.format('%.0f', tonumber(string.sub(id, dash + 1)) + 1)
end
local from = '-'
if ARGV[1] == 'after' then
  local dash = string.find(ARGV[2], '-', 1, true)
  local askedEpoch, asked = tonumber(string.sub(ARGV[2], 1, dash - 1)), tonumber(string.sub(ARGV[2], dash + 1))
  -- Of no log that this one knows: all there is
  if askedEpoch < epoch or (askedEpoch == epoch and asked <= offset) then from = behind(ARGV[2]) end
else
  local wanted = tonumber(ARGV[2])
  if wanted == 0 then return reply end
  if offset >= wanted then
    from = text(epoch, offset - wanted + 1)
  elseif redis.call('XLEN', stream) > wanted then
    -- Some at a time, as they may be large. Each time but the first, the first is the last one before.
    local missing, again = wanted, 0
    from = '+'
    repeat
      local some = redis.call('XREVRANGE', stream, from, '-', 'COUNT', math.min(missing + again, 16))
      missing, again, from = missing - #some + again, 1, some[#some][1]
    until missing == 0
  end
end
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local most, room, count, bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), 0, 0
-- Large messages are read by twos: what does not fit would be read for nothing.
local step, isAnyYoung = 2, false
repeat
  if count > 0 and bytes / count < room / 64 then step = 16 end
  local some = redis.call('XRANGE', stream, from, '+', 'COUNT', step)
  for _, entry in ipairs(some) do
    local age = now - (tonumber(entry[2][4]) or 0)
    if age <= tonumber(ARGV[4]) then
      local size = #entry[2][2]
      if count == most or (count > 0 and bytes + size > room) then
        reply[2] = '0'
        return reply
      end
      count, bytes = count + 1, bytes + size
      reply[#reply + 1] = entry[1]
      reply[#reply + 1] = string.format('%.0f', age)
      reply[#reply + 1] = entry[2][2]
    elseif not isAnyYoung then
      -- All may be, where nothing was published for long.
      local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
      if now - (tonumber(newest[2][4]) or 0) > tonumber(ARGV[4]) then return reply end
      isAnyYoung = true
    end
    from = behind(entry[1])
  end
until #some < step
return reply
