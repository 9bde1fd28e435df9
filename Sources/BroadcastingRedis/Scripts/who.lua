-- All who are present: where the updates stand, then each member and its info.
-- KEYS: 1 members, 2 held, 3 leases, 4 state
local at = redis.call('HMGET', KEYS[4], 'epoch', 'version')
local reply = redis.call('HGETALL', KEYS[1])
table.insert(reply, 1, (at[1] or '0') .. '-' .. (at[2] or '0'))
return reply
