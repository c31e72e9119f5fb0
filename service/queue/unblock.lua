-- unblock.lua: somebody wants it tried at once, whatever the vendor said. ARGV: prefix, keys. Answers how many were blocked.
-- Whoever sleeps is looked at again; the claim puts aside those that must wait on.
local lifted = call('ZREM', P .. 'q:blocks', unpack(ARGV, 2))
if lifted > 0 then
	for _, conn in ipairs(call('ZRANGE', P .. 'q:sleep', 0, -1)) do
		take_turn(conn)
	end
	call('DEL', P .. 'q:sleep')
	wake()
end
return lifted
