-- Who is present on a channel: a member is there as long as one process has it, and a process lives as long as it says so.
-- KEYS: 1 members with their infos, 2 by how many processes each is held, 3 until when each process lives, 4 where the
--   updates stand, 5 the members of the process that asks, with the round in which it told them
-- ARGV: 1 the process, 2 its lease in ms, 3 most members, 4 the channel of the updates, 5 'change' or 'check'
--   of a change: 6 the round, then three words each: '+' member info, '=' member info of one told before, or '-' member ''
--   of a check: 6 how many members the process has, 7 the round of which all of them are, or '', 8 '1' to take out the dead,
--   9 the epoch in which it told them, or ''
local members, held, leases, state, own = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local lease = tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function tell(sign, member, info)
  local epoch = redis.call('HGET', state, 'epoch')
  if not epoch then
    epoch = string.format('%.0f', time[1] * 1000000 + time[2])
    redis.call('HSET', state, 'epoch', epoch)
  end
  local version = redis.call('HINCRBY', state, 'version', 1)
  redis.call('PUBLISH', ARGV[4], epoch .. '-' .. version .. ' ' .. sign .. ' ' .. #member .. ' ' .. member .. info)
end
local function forget()
  for _, process in ipairs(redis.call('ZRANGE', leases, 0, -1)) do redis.call('DEL', members .. ':by:' .. process) end
  redis.call('DEL', unpack(KEYS))
end
local function join(sign, member, info)
  local isNew = redis.call('HSET', own, member, ARGV[6]) == 1
  local isFirst = isNew and redis.call('HINCRBY', held, member, 1) == 1
  if isFirst and redis.call('HLEN', members) >= tonumber(ARGV[3]) then
    redis.call('HDEL', own, member)
    redis.call('HDEL', held, member)
    return false
  end
  local before = redis.call('HGET', members, member)
  -- What another process said since holds.
  if before and sign == '=' and redis.call('HGET', held, member) ~= '1' then return true end
  if isFirst or before ~= info then
    redis.call('HSET', members, member, info)
    tell(isFirst and '+' or '~', member, info)
  end
  return true
end
local function leave(key, member)
  if redis.call('HDEL', key, member) == 0 or redis.call('HINCRBY', held, member, -1) > 0 then return end
  redis.call('HDEL', held, member)
  redis.call('HDEL', members, member)
  tell('-', member, '')
end
-- Who has no members has no lease.
local function live()
  if redis.call('EXISTS', own) == 1 then
    redis.call('ZADD', leases, string.format('%.0f', now + lease), ARGV[1])
  else
    redis.call('ZREM', leases, ARGV[1])
  end
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 4 * lease) end
end
-- Members without a lease, or a lease without members: a part is lost, evicted or expired, and no count can be trusted. All is
-- forgotten, and in another epoch all processes tell their members again.
local due = redis.call('ZSCORE', leases, ARGV[1])
local isLost = (due ~= false) ~= (redis.call('EXISTS', own) == 1)
if ARGV[5] == 'change' then
  if isLost then forget() end
  local refused = {}
  for index = 7, #ARGV, 3 do
    if ARGV[index] == '-' then
      leave(own, ARGV[index + 1])
    elseif not join(ARGV[index], ARGV[index + 1], ARGV[index + 2]) then
      refused[#refused + 1] = ARGV[index + 1]
    end
  end
  live()
  return refused
end
local wanted = tonumber(ARGV[6])
if ARGV[7] ~= '' then
  local all = redis.call('HGETALL', own)
  for index = 1, #all, 2 do
    if all[index + 1] ~= ARGV[7] then leave(own, all[index]) end
  end
end
local isWhole = redis.call('HLEN', own) == wanted and (wanted == 0 or redis.call('EXISTS', members, held) == 2)
local isSameEpoch = ARGV[9] == '' or ARGV[9] == (redis.call('HGET', state, 'epoch') or '0')
-- Whoever was taken for dead has nothing here, or less and less, and only tells it again.
local isOverdue = not due or tonumber(due) <= now
if not isWhole and ARGV[9] ~= '' and isSameEpoch and not isOverdue then isLost = true end
if ARGV[7] ~= '' or wanted > 0 and isWhole and isSameEpoch and not isLost then live() end
-- The dead: so many of their members at once that nobody else waits long. What is deleted leaves holes in the table, so each
-- scan goes on until it has found as many.
local left = 500
local dead = ARGV[8] == '1' and not isLost and redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 8) or {}
for _, process in ipairs(dead) do
  local key = members .. ':by:' .. process
  if redis.call('EXISTS', key) == 0 then
    isLost = true
    break
  end
  local cursor = '0'
  repeat
    local some = redis.call('HSCAN', key, cursor, 'COUNT', left)
    cursor = some[1]
    for index = 1, #some[2], 2 do leave(key, some[2][index]) end
    left = left - #some[2] / 2
  until cursor == '0' or left <= 0
  if redis.call('EXISTS', key) == 0 then redis.call('ZREM', leases, process) end
  if left <= 0 then break end
end
if isLost then forget() end
local isRight = isWhole and isSameEpoch and not (isLost and wanted > 0)
local more = ARGV[8] == '1' and redis.call('ZCOUNT', leases, '-inf', now) or 0
local at = redis.call('HMGET', state, 'epoch', 'version')
return {isRight and 1 or 0, more, (at[1] or '0') .. '-' .. (at[2] or '0')}
