-- alert_scan.lua: is there something to mail about a connection? Failing is what stands in needs_data or system_fault;
-- told is what the last mails named. Nothing has to be reported by those who fail, so nothing can be forgotten.
-- ARGV: prefix, connection, ms to gather first, ms between two mails, lease ms, most ids.
-- Answers {kind, standing, {new ids}}: 'failures', or 'resolved' when all that was told is mended; else nothing.
local conn, wait, gap, lease, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local key, told = P .. 'al:' .. conn, P .. 'al:' .. conn .. ':told'
local now = now_ms()
local failing = { P .. 'ix:' .. conn .. ':needs_data', P .. 'ix:' .. conn .. ':system_fault' }

local standing = call('ZCARD', failing[1]) + call('ZCARD', failing[2])
local n_told = call('SCARD', told)
if standing == 0 and n_told == 0 and call('HEXISTS', key, 'over') == 0 then
	call('HDEL', key, 'since')
	return {}
end
local r = call('HMGET', key, 'since', 'last', 'lease')
if r[3] and tonumber(r[3]) > now then
	return {}
end

local fresh = {}
for _, set in ipairs(failing) do
	for _, id in ipairs(call('ZREVRANGE', set, 0, most - 1)) do
		if #fresh < most and call('SISMEMBER', told, id) == 0 then
			fresh[#fresh + 1] = id
		end
	end
end
-- What is over leaves the list: if it fails again, that is news. What is being tried stays.
local OVER = { done = true, skipped = true, cancelled = true, following = true }
for _, id in ipairs(call('SRANDMEMBER', told, most)) do
	if OVER[call('HGET', P .. 't:' .. id, 'st') or 'done'] then
		call('SREM', told, id)
		call('HSET', key, 'over', 1)
		n_told = n_told - 1
	end
end
local resolved = standing == 0 and n_told == 0 and call('HEXISTS', key, 'over') == 1
if #fresh == 0 and not resolved then
	call('HDEL', key, 'since')
	return {}
end
if not r[1] then
	call('HSET', key, 'since', now)
end
local due = tonumber(r[1] or now) + wait
if #fresh > 0 then
	due = math.max(due, tonumber(r[2] or 0) + gap)
end
if now < due then
	return {}
end
call('HSET', key, 'lease', now + lease)
return { #fresh > 0 and 'failures' or 'resolved', standing, fresh }
