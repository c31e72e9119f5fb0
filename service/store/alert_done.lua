-- alert_done.lua: the mail went out. ARGV: prefix, connection, kind, ids that it told of.
local key, told = P .. 'al:' .. ARGV[2], P .. 'al:' .. ARGV[2] .. ':told'
call('HDEL', key, 'since', 'lease')
if ARGV[3] == 'resolved' then
	call('DEL', told, key)
	return 1
end
call('HSET', key, 'last', now_ms())
for i = 4, #ARGV do
	call('SADD', told, ARGV[i])
end
return 1
