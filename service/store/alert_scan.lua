-- alert_scan.lua: is there something to mail about a connection? Failing is what stands in needs_data or system_fault;
-- told is what the last mails named. Nothing has to be reported by those who fail, so nothing can be forgotten.
-- ARGV: prefix, connection, ms to gather first, ms between two mails, lease ms, most ids.
-- What runs of registers left is one alarm per register and reason, however many records it is of: ra:<connection> holds 's <register>
-- <reason>' with the id of an example, and 'r <register>' with why the register was given up.
-- Answers {kind, standing, {new ids}, {new alarms: name, kind, register, reason, records, id, why}}: 'failures', or 'resolved' when all
-- that was told is mended; else nothing.
local conn, wait, gap, lease, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local key, told = P .. 'al:' .. conn, P .. 'al:' .. conn .. ':told'
local now = now_ms()
local failing = { P .. 'ix:' .. conn .. ':needs_data', P .. 'ix:' .. conn .. ':system_fault' }

-- What of the alarms is so still.
local alarms, n_alarms = {}, 0
local function note_alarm(name, ...)
	alarms[name] = { name, ... }
	n_alarms = n_alarms + 1
end
local function look_at_alarm(field, value)
	local reg = string.match(field, '^r (.*)$')
	if reg then
		local code, why = string.match(value, '^([^\n]*)\n(.*)$')
		note_alarm('ra r ' .. reg .. ' ' .. code, 'r', reg, code, 0, '', why)
		return
	end
	local name, code = string.match(field, '^s (%S+) (.*)$')
	local n = tonumber(call('HGET', P .. 'sc:' .. conn .. ':' .. name, code) or 0)
	if n == 0 then
		call('HDEL', P .. 'ra:' .. conn, field)
		return
	end
	local found, why = string.match(call('HGET', P .. 'st:' .. conn .. ':' .. name, value) or '', '^([^\n]*)\n(.*)$')
	note_alarm('ra ' .. field, 's', name, code, n, value, found == code and why or '')
end
local list = call('HGETALL', P .. 'ra:' .. conn)
for i = 1, #list, 2 do
	look_at_alarm(list[i], list[i + 1])
end

local standing = call('ZCARD', failing[1]) + call('ZCARD', failing[2])
local n_told = call('SCARD', told)
if standing == 0 and n_alarms == 0 and n_told == 0 and call('HEXISTS', key, 'over') == 0 then
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
local fresh_alarms = {}
local names = {}
for name in pairs(alarms) do
	names[#names + 1] = name
end
table.sort(names)
for _, name in ipairs(names) do
	local alarm = alarms[name]
	if call('SISMEMBER', told, name) == 0 then
		for i = 1, #alarm do
			fresh_alarms[#fresh_alarms + 1] = type(alarm[i]) == 'number' and string.format('%.0f', alarm[i]) or alarm[i]
		end
	end
end
-- What is over leaves the list: if it fails again, that is news. What is being tried stays.
local OVER = { done = true, skipped = true, cancelled = true, following = true }
for _, id in ipairs(call('SRANDMEMBER', told, most)) do
	local is_alarm = string.sub(id, 1, 3) == 'ra '
	if is_alarm and not alarms[id] or not is_alarm and OVER[call('HGET', P .. 't:' .. id, 'st') or 'done'] then
		call('SREM', told, id)
		call('HSET', key, 'over', 1)
		n_told = n_told - 1
	end
end
local any_new = #fresh > 0 or #fresh_alarms > 0
local resolved = standing == 0 and n_alarms == 0 and n_told == 0 and call('HEXISTS', key, 'over') == 1
if not any_new and not resolved then
	call('HDEL', key, 'since')
	return {}
end
if not r[1] then
	call('HSET', key, 'since', now)
end
local due = tonumber(r[1] or now) + wait
if any_new then
	due = math.max(due, tonumber(r[2] or 0) + gap)
end
if now < due then
	return {}
end
call('HSET', key, 'lease', now + lease)
return { any_new and 'failures' or 'resolved', standing, fresh, fresh_alarms }
