-- connection_put.lua: creates or replaces a connection when the caller knows the latest revision.
-- ARGV: prefix, epoch, id, revision it was read with ('0': new), then put_connection's fields. Answers EPOCH, or the new revision, -1: not
-- found, -2: changed meanwhile (or exists).
if not knows_all(ARGV[2]) then
	return EPOCH
end
local id, read = ARGV[3], ARGV[4]
local have = call('HGET', P .. 'conn:' .. id, 'rev')
if not have and read ~= '0' then
	return -1
end
if have and have ~= read then
	return -2
end
local rev = tonumber(read) + 1
put_connection(id, rev, 5, now_ms())
call('INCR', P .. 'conns:ver')
wake()
return rev
