-- facts_put.lua: what a connection has learned of its company at the vendors. ARGV: prefix, epoch, connection, revision that it
-- was read with ('0': none yet), sealed facts, ms until its dialogues go on by themselves ('': not). Answers EPOCH, or the new revision, -1: no such connection, -2: changed meanwhile.
if not knows_all(ARGV[2]) then
	return EPOCH
end
local key = P .. 'conn:' .. ARGV[3]
local r = call('HMGET', key, 'rev', 'fr')
if not r[1] then
	return -1
end
if (r[2] or '0') ~= ARGV[4] then
	return -2
end
local rev = tonumber(ARGV[4]) + 1
call('HSET', key, 'fr', rev, 'fx', ARGV[5])
if ARGV[6] == '' then
	call('ZREM', P .. 'dialogues', ARGV[3])
else
	call('ZADD', P .. 'dialogues', now_ms() + ARGV[6], ARGV[3])
end
call('INCR', P .. 'conns:ver')
return rev
