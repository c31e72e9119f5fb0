-- beat.lua: extends leases whose fence still holds. ARGV: prefix, lease ms, then id, fence per lease.
-- Answers a letter per lease: B beaten, L lost.
local now, lease = now_ms(), tonumber(ARGV[2])
local answer = {}
for a = 3, #ARGV, 2 do
	local id = ARGV[a]
	if call('HGET', record_key(id), 'f') == ARGV[a + 1] and call('ZSCORE', P .. 'q:leases', id) then
		call('ZADD', P .. 'q:leases', 'XX', now + lease, id)
		if is_task(id) then
			call('PEXPIRE', P .. 'j:' .. id, 3600000)
		end
		answer[#answer + 1] = 'B'
	else
		answer[#answer + 1] = 'L'
	end
end
return table.concat(answer)
