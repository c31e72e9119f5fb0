-- run_new.lua: orders a run of register syncs. One that has not begun takes the order in; behind one that runs it waits.
-- ARGV: prefix, epoch, connection, id, flow, kind (0..2), trigger, registers, who, '1': a poll follows, '1': not when a run is
-- under way that a poll follows. Answers EPOCH, or {id of the run that does it, 1: it was ordered}.
if not knows_all(ARGV[2]) then
	return EPOCH
end
local conn, id, kind, registers, polls = ARGV[3], ARGV[4], tonumber(ARGV[6]), ARGV[8], ARGV[10]
local now = now_ms()
local KEEP = 100

local function take_in(other)
	local key = P .. 'run:' .. other
	local r = call('HMGET', key, 'rg', 'k')
	local all = r[1]
	for name in string.gmatch(registers, '%S+') do
		if not string.find(' ' .. all .. ' ', ' ' .. name .. ' ', 1, true) then
			all = all .. ' ' .. name
		end
	end
	call('HSET', key, 'rg', all, 'k', math.max(tonumber(r[2]), kind))
	if polls == '1' then
		call('HSET', key, 'po', '1')
	end
	return { other, 1 }
end

-- The oldest go, but never one that is not over.
local function trim()
	local list = P .. 'runs:' .. conn
	for _, old in ipairs(call('ZRANGE', list, 0, -KEEP - 1)) do
		local key = P .. 'run:' .. old
		if call('HEXISTS', key, 'ea') == 1 or call('EXISTS', key) == 0 then
			call('UNLINK', key, key .. ':f', key .. ':x', key .. ':p', key .. ':a', key .. ':k')
			call('ZREM', list, old)
		end
	end
end

local active = call('HGET', P .. 'runs:act', conn)
if active and call('EXISTS', P .. 'run:' .. active) == 0 then
	active = false
end
if active then
	local r = call('HMGET', P .. 'run:' .. active, 'st', 'po')
	if ARGV[11] == '1' and r[1] ~= 'queued' and r[2] == '1' then
		return { active, 0 }
	end
	if r[1] == 'queued' then
		return take_in(active)
	end
	local behind = call('HGET', P .. 'runs:nxt', conn)
	if behind and call('EXISTS', P .. 'run:' .. behind) == 1 then
		return take_in(behind)
	end
end
call('HSET', P .. 'run:' .. id, 'c', conn, 'fl', ARGV[5], 'k', kind, 'tr', ARGV[7], 'rg', registers, 'who', ARGV[9], 'po', polls,
	'st', 'queued', 'ca', now, 'ua', now)
call('ZADD', P .. 'runs:' .. conn, now, id)
trim()
if active then
	call('HSET', P .. 'runs:nxt', conn, id)
else
	call('HSET', P .. 'runs:act', conn, id)
	new_task('sync:' .. conn, 'sync', conn, '', now)
	wake()
end
return { id, 1 }
