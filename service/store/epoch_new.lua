-- epoch_new.lua: begins an epoch, and puts back what the vault knows better. Of many relays that do so at once the first
-- begins it; each whose vault is newer than what was put back adds to it, since that is the only place where its last second is.
-- ARGV: prefix, epoch id that is replaced, '' for none, '-' to add only, new id, restored '1'/'0', server's run id, relay id,
-- its count, vault's version, number of connections, per connection id, revision, revision of its facts, sealed facts and
-- put_connection's fields, then per token hash and document. Answers 1: begun, 2: added, 0: nothing was to be done.
local e = call('HMGET', P .. 'epoch', 'id', 'restored', 'from')
local version, n = tonumber(ARGV[8]), tonumber(ARGV[9])
local have, from = tonumber(call('GET', P .. 'conns:ver') or 0), tonumber(e[3] or 0)
local begins = (e[1] or '') == ARGV[2]
local now = now_ms()
-- The relay counts on from where it was.
local beat = P .. 'beat:' .. ARGV[6]
call('SET', beat, math.max(tonumber(call('GET', beat) or 0), tonumber(ARGV[7])))
if begins then
	from = math.max(version, have)
	call('HSET', P .. 'epoch', 'id', ARGV[3], 'born', now, 'restored', ARGV[4], 'run', ARGV[5], 'from', from)
elseif e[2] == '1' and version > from then
	call('HSET', P .. 'epoch', 'from', version)
else
	return 0
end

local a = 10
for _ = 1, n do
	local id, rev, facts_rev = ARGV[a], tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
	local r = call('HMGET', P .. 'conn:' .. id, 'rev', 'fr')
	if tonumber(r[1] or -1) < rev then
		put_connection(id, rev, a + 4, now)
	end
	if tonumber(r[2] or 0) < facts_rev then
		call('HSET', P .. 'conn:' .. id, 'fr', facts_rev, 'fx', ARGV[a + 3])
		call('ZADD', P .. 'dialogues', now, id) -- a run finds out whether they have something to do
	end
	a = a + 4 + CONN_FIELDS
end

-- Tokens have no revision: the newest vault is right, but for those made ('from' is absent) and revoked ('gone') since.
local mine = {}
for i = a, #ARGV, 2 do
	mine[ARGV[i]] = ARGV[i + 1]
end
local is_newer = version > have or not begins
for _, hash in ipairs(call('SMEMBERS', P .. 'toks')) do
	local stamp = call('HGET', P .. 'tok:' .. hash, 'from')
	if is_newer and not mine[hash] and (begins or stamp) then
		call('DEL', P .. 'tok:' .. hash)
		call('SREM', P .. 'toks', hash)
	elseif begins then
		call('HSET', P .. 'tok:' .. hash, 'from', from)
	end
end
if is_newer then
	for hash, doc in pairs(mine) do
		if call('SISMEMBER', P .. 'gone', hash) == 0 then
			call('HSET', P .. 'tok:' .. hash, 'doc', doc, 'from', version)
			call('SADD', P .. 'toks', hash)
		end
	end
end
call('SET', P .. 'conns:ver', math.max(version, have) + 1)
wake()
return begins and 1 or 2
