-- All who are present: where the updates stand and how many there are, then each member and its info, unless these are too many.
-- KEYS: 1 members, 2 held, 3 leases, 4 state
-- ARGV: 1 most members
local at = redis.call('HMGET', KEYS[4], 'epoch', 'version')
local count = redis.call('HLEN', KEYS[1])
local reply = count <= tonumber(ARGV[1]) and redis.call('HGETALL', KEYS[1]) or {}
table.insert(reply, 1, (at[1] or '0') .. '-' .. (at[2] or '0'))
table.insert(reply, 2, count)
return reply
