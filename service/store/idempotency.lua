-- idempotency.lua: ARGV: prefix, key, body hash, verb ('begin', 'end', 'drop'), status, sealed answer.
-- Answers {'first' | 'running' | 'other' | 'done', status, sealed answer}.
local key, hash = P .. 'idem:' .. ARGV[2], ARGV[3]
if ARGV[4] == 'end' then
	call('HSET', key, 'h', hash, 's', ARGV[5], 'b', ARGV[6])
	call('PEXPIRE', key, 86400000)
	return { 'done' }
end
if ARGV[4] == 'drop' then
	call('DEL', key)
	return { 'dropped' }
end
if call('HSETNX', key, 'h', hash) == 1 then
	call('PEXPIRE', key, 120000)
	return { 'first' }
end
local r = call('HMGET', key, 'h', 's', 'b')
if r[1] ~= hash then
	return { 'other' }
end
if not r[2] then
	return { 'running' }
end
return { 'done', r[2], r[3] }
