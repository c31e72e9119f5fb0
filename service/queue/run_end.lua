-- run_end.lua: a run waits, or is over. ARGV: as run_hold.lua, then state, ms until the next slice, reason, error JSON.
-- Answers 'LOST', 'MORE': another run waits behind it, or 'OK'.
-- include run_hold
if not is_ours() then
	return 'LOST'
end
local state, wait = ARGV[7], tonumber(ARGV[8])
call('HSET', RUN, 'ua', NOW, 'lost', 0, 'ec', ARGV[9], 'e', ARGV[10])
if state == 'running' then
	if ARGV[9] ~= '' then
		call('HINCRBY', RUN, 'tries', 1)
		if (call('HGET', RUN, 'fs') or '0') == '0' then
			call('HSET', RUN, 'fs', NOW)
		end
	end
	if wait > 0 then
		call('HSET', RUN, 'nx', string.format('%.0f', now + wait))
	end
	return 'OK'
end
call('HSET', RUN, 'st', state, 'ea', NOW)
if state == 'done' then
	call('HDEL', P .. 'ra:' .. conn, 'r *')
end
call('UNLINK', RUN .. ':p', RUN .. ':a', RUN .. ':k')
poll_behind(conn, run)
local behind = call('HGET', P .. 'runs:nxt', conn)
call('HDEL', P .. 'runs:nxt', conn)
if not behind then
	call('HDEL', P .. 'runs:act', conn)
	return 'OK'
end
call('HSET', P .. 'runs:act', conn, behind)
return 'MORE'
