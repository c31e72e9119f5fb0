-- run_open.lua: a slice begins. ARGV: as run_hold.lua, with '' for the run. Answers 'LOST', or the id of the connection's run, now
-- running, or '' when there is none. One that was cancelled before is over; so is one whose slices end with their process each
-- time.
-- include run_hold
if not is_ours() then
	return 'LOST'
end
local LOST_MAX = 5

local function begin(key)
	if call('HINCRBY', key, 'lost', 1) > LOST_MAX then
		call('HSET', key, 'ec', 'run_lost', 'e', '')
		call('HSET', P .. 'ra:' .. conn, 'r *', 'run_lost\n')
		return 'failed'
	end
	call('HSET', key, 'st', 'running', 'ua', NOW)
	call('HSETNX', key, 'sa', NOW)
	call('HDEL', key, 'nx', 'ec', 'e')
	return 'running'
end

for _ = 1, 2 do
	local id = call('HGET', P .. 'runs:act', conn)
	local key = id and P .. 'run:' .. id
	local is_there = id and call('EXISTS', key) == 1
	local state = is_there and (call('HEXISTS', key, 'cx') == 1 and 'cancelled' or begin(key))
	if state == 'running' then
		return id
	end
	if is_there then
		call('HSET', key, 'st', state, 'ua', NOW, 'ea', NOW)
		call('UNLINK', key .. ':p', key .. ':a', key .. ':k')
		poll_behind(conn, id)
	end
	local behind = call('HGET', P .. 'runs:nxt', conn)
	call('HDEL', P .. 'runs:nxt', conn)
	call('HDEL', P .. 'runs:act', conn)
	if not behind then
		return ''
	end
	call('HSET', P .. 'runs:act', conn, behind)
end
return ''
