-- block.lua: a vendor asked to wait; the longest wait holds. ARGV: prefix, key, ms.
local key, till = P .. 'q:block:' .. ARGV[2], now_ms() + tonumber(ARGV[3])
local old = tonumber(call('GET', key) or 0)
if till > old then
	call('SET', key, till, 'PX', ARGV[3])
end
return 0
