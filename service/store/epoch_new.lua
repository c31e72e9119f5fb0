-- epoch_new.lua: begins an epoch, and puts back what the vault knows better. Only one of many processes wins.
-- ARGV: prefix, epoch id that is replaced or '', new id, restored '1'/'0', server's run id, vault's version, number of
-- connections, per connection id, revision and put_connection's fields, then per token hash and document.
-- Answers 1: done, 0: another was faster.
local old = call('HGET', P .. 'epoch', 'id') or ''
if old ~= ARGV[2] then
	return 0
end
local now = now_ms()
call('HSET', P .. 'epoch', 'id', ARGV[3], 'born', now, 'restored', ARGV[4], 'run', ARGV[5])
local version, n = tonumber(ARGV[6]), tonumber(ARGV[7])
local have = tonumber(call('GET', P .. 'conns:ver') or 0)
local a = 8
for _ = 1, n do
	local id, rev = ARGV[a], tonumber(ARGV[a + 1])
	local mine = tonumber(call('HGET', P .. 'conn:' .. id, 'rev') or -1)
	if mine < rev then
		put_connection(id, rev, a + 2, now)
	end
	a = a + 2 + CONN_FIELDS
end
-- A Redis that fell behind may still hold tokens that have been revoked since.
if version > have then
	for _, hash in ipairs(call('SMEMBERS', P .. 'toks')) do
		call('DEL', P .. 'tok:' .. hash)
	end
	call('DEL', P .. 'toks')
	while a < #ARGV do
		call('HSET', P .. 'tok:' .. ARGV[a], 'doc', ARGV[a + 1])
		call('SADD', P .. 'toks', ARGV[a])
		a = a + 2
	end
end
call('SET', P .. 'conns:ver', math.max(version, have) + 1)
wake()
return 1
