-- link_drop.lua: a link whose record the source has deleted. ARGV: prefix, epoch, table, left, right. Answers EPOCH, or 1 when the two
-- were linked.
if not knows_all(ARGV[2]) then
	return EPOCH
end
local key, back, left, right = P .. 'lk:' .. ARGV[3], P .. 'lr:' .. ARGV[3], ARGV[4], ARGV[5]
if string.match(call('HGET', key, left) or '', '^([^\n]*)') ~= right then
	return 0
end
call('HDEL', key, left)
if call('HGET', back, right) == left then
	call('HDEL', back, right)
end
return 1
