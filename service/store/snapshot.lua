-- snapshot.lua: every connection and token, with the version and epoch they belong to. ARGV: prefix, epoch id and version that
-- the caller has. Answers {epoch id, version} when that is all the same, else {epoch id, version, {id, revision, document,
-- sealed secrets, revision of the facts, sealed facts, ...}, {hash, document, ...}}.
local epoch, version = call('HGET', P .. 'epoch', 'id') or '', call('GET', P .. 'conns:ver') or '0'
if epoch == ARGV[2] and version == ARGV[3] then
	return { epoch, version }
end
local conns, toks = {}, {}
local ids = call('SMEMBERS', P .. 'conns')
table.sort(ids)
for _, id in ipairs(ids) do
	local r = call('HMGET', P .. 'conn:' .. id, 'rev', 'doc', 'sec', 'fr', 'fx')
	if r[1] then
		conns[#conns + 1] = id
		conns[#conns + 1] = r[1]
		conns[#conns + 1] = r[2]
		conns[#conns + 1] = r[3]
		conns[#conns + 1] = r[4] or '0'
		conns[#conns + 1] = r[5] or ''
	end
end
for _, hash in ipairs(call('SMEMBERS', P .. 'toks')) do
	local doc = call('HGET', P .. 'tok:' .. hash, 'doc')
	if doc then
		toks[#toks + 1] = hash
		toks[#toks + 1] = doc
	end
end
return { epoch, version, conns, toks }
